"""The machine: flat state, steps, blocks, actors. It knows nothing about processors or KVM."""
