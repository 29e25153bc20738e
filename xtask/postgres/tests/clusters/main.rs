//! Real clusters.

#[cfg(test)]
mod failing;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod support;
