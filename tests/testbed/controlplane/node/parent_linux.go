package main

import "syscall"

// dieWithParent makes the kernel kill the process when this one is gone.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
