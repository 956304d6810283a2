"""Just enough of eBPF: two programs of a few dozen instructions, assembled here and loaded by
bpf(2). The kernel's verifier judges them whoever wrote them; a compiler with a bpf target, kernel
headers and libbpf would be a hundred megabytes of image for the same instructions."""
