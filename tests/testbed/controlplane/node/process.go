package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

// groups are the process groups that run now. Each has a file named by its id, for whoever cleans up after a node that was killed.
type groups struct {
	mu     sync.Mutex
	folder string
	alive  map[int]bool
}

// start starts cmd as the leader of its own process group.
func (g *groups) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alive[cmd.Process.Pid] = true
	if g.folder != "" {
		if f, err := os.Create(g.file(cmd.Process.Pid)); err == nil {
			_ = f.Close()
		}
	}
	return nil
}

// end kills what is left of a group whose leader has ended or shall end.
func (g *groups) end(id int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.alive[id] {
		_ = syscall.Kill(-id, syscall.SIGKILL)
		delete(g.alive, id)
		if g.folder != "" {
			_ = os.Remove(g.file(id))
		}
	}
}

func (g *groups) endAll() {
	g.mu.Lock()
	ids := make([]int, 0, len(g.alive))
	for id := range g.alive {
		ids = append(ids, id)
	}
	g.mu.Unlock()
	for _, id := range ids {
		g.end(id)
	}
}

func (g *groups) file(id int) string { return filepath.Join(g.folder, strconv.Itoa(id)) }

// command is argv as the container would run it: its environment, its PATH.
func command(c *corev1.Container, argv []string) (*exec.Cmd, error) {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=/tmp"}
	path := os.Getenv("PATH")
	for _, e := range c.Env {
		env = append(env, e.Name+"="+e.Value)
		if e.Name == "PATH" {
			path = e.Value
		}
	}
	if len(argv) == 0 {
		return nil, fmt.Errorf("no command given")
	}
	program, err := lookUp(argv[0], path)
	if err != nil {
		return nil, err
	}
	folder := c.WorkingDir
	if folder == "" {
		folder = "/"
	}
	return &exec.Cmd{Path: program, Args: argv, Env: env, Dir: folder}, nil
}

func lookUp(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		if runnable(name) {
			return name, nil
		}
		return "", fmt.Errorf("exec: %q: stat %s: no such file or directory", name, name)
	}
	for _, folder := range filepath.SplitList(path) {
		if candidate := filepath.Join(folder, name); filepath.IsAbs(candidate) && runnable(candidate) {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found in $PATH", name)
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}
