//go:build !linux

package main

import "syscall"

// dieWithParent does nothing where the kernel cannot do it; the group files are for that.
func dieWithParent(*syscall.SysProcAttr) {}
