"""kvm-unit-tests' VMX tests as guest programs: a hypervisor under test below, its guest above."""
