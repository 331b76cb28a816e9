"""KVM: requests, vcpu->mode, the run loop, nested VMX, senders' kicks, under the kernel's own names."""
