"""The processor: local APIC, VMCS, VM entry and VM exit, as the Intel SDM (vol. 3, June 2016) has them."""
