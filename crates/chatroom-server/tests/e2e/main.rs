//! The server through real sockets: in this process where time and stores are staged, and as the real binary where
//! start, stop and commands are shown.

#[cfg(test)]
mod support;

#[cfg(test)]
mod binary_callbacks;
#[cfg(test)]
mod binary_commands;
#[cfg(test)]
mod binary_start;
#[cfg(test)]
mod binary_stop;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod history;
#[cfg(test)]
mod http_rules;
#[cfg(test)]
mod hygiene;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod members;
#[cfg(test)]
mod page;
#[cfg(test)]
mod race;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod staged;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod users;
