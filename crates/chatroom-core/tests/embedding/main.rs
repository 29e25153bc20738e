//! The core as other services import it: the examples run, and mocks stage what a store cannot.

mod mocks;
mod own_map;

#[path = "../../examples/embed_memory.rs"]
mod embed_memory;

#[test]
fn the_example_that_embeds_the_memory_store_runs() {
    embed_memory::main().unwrap();
}
