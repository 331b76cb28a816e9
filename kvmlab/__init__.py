"""kvmlab: KVM's vCPU run loop, step by step, under the kernel's own names."""

__version__ = "0.1.0"
