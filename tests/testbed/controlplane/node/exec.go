package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/virtual-kubelet/virtual-kubelet/errdefs"
	"github.com/virtual-kubelet/virtual-kubelet/node/api"
	utilexec "k8s.io/utils/exec"
)

// execs knows the connection of each exec. virtual-kubelet gives the provider a context that never ends, so a process would outlive a
// client that went away; the number of the connection travels as the first word of the command.
type execs struct {
	mu    sync.Mutex
	last  int
	ended map[string]chan struct{}
}

// watch numbers exec requests and notices the end of their connections.
func (e *execs) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/exec/") {
			next.ServeHTTP(w, r)
			return
		}
		ended := make(chan struct{})
		e.mu.Lock()
		e.last++
		id := strconv.Itoa(e.last)
		e.ended[id] = ended
		e.mu.Unlock()
		defer func() {
			e.mu.Lock()
			delete(e.ended, id)
			e.mu.Unlock()
		}()
		query := r.URL.Query()
		query["command"] = append([]string{id}, query["command"]...)
		r.URL.RawQuery = query.Encode()
		next.ServeHTTP(&watchedWriter{ResponseWriter: w, ended: ended}, r)
	})
}

func (e *execs) connection(id string) chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended[id]
}

type watchedWriter struct {
	http.ResponseWriter
	ended chan struct{}
}

func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("the connection cannot be taken over")
	}
	conn, buffer, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	watched := &watchedConn{Conn: conn, ended: w.ended}
	// The upgrade reads from the buffer, so that must read from the watched connection, after what it holds already.
	held, err := buffer.Reader.Peek(buffer.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	reader := bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(held)), watched))
	return watched, bufio.NewReadWriter(reader, bufio.NewWriter(watched)), nil
}

type watchedConn struct {
	net.Conn
	once  sync.Once
	ended chan struct{}
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.once.Do(func() { close(c.ended) })
	}
	return n, err
}

// RunInContainer runs one exec until its process ends or its connection does.
func (p *provider) RunInContainer(_ context.Context, ns, name, ctr string, argv []string, attach api.AttachIO) error {
	pod, err := p.GetPod(context.Background(), ns, name)
	if err != nil {
		return err
	}
	gone := p.execs.connection(argv[0])
	argv = argv[1:]
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name != ctr {
			continue
		}
		if pod.Status.ContainerStatuses[i].State.Running == nil {
			return errors.New("container not running")
		}
		cmd, err := command(&pod.Spec.Containers[i], argv)
		if err != nil {
			return err
		}
		return p.attach(cmd, attach, gone, key(ns, name))
	}
	return errdefs.NotFound("container not found")
}

func (p *provider) attach(cmd *exec.Cmd, attach api.AttachIO, gone <-chan struct{}, pod string) error {
	if out := attach.Stdout(); out != nil {
		defer out.Close()
		cmd.Stdout = out
		if attach.TTY() {
			cmd.Stderr = out
		}
	}
	if e := attach.Stderr(); e != nil {
		defer e.Close()
		cmd.Stderr = e
	}
	if in := attach.Stdin(); in != nil {
		// Not cmd.Stdin: Wait would then wait for the client to close its side.
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() { _, _ = io.Copy(pipe, in); _ = pipe.Close() }()
	}
	if err := p.groups.start(cmd); err != nil {
		return err
	}
	p.mu.Lock()
	p.inside[cmd.Process.Pid] = pod
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.inside, cmd.Process.Pid)
		p.mu.Unlock()
	}()
	done := make(chan struct{})
	go func() {
		select {
		case <-gone:
			p.groups.end(cmd.Process.Pid)
		case <-done:
		}
	}()
	err := cmd.Wait()
	close(done)
	p.groups.end(cmd.Process.Pid)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if code < 0 {
			code = 137
		}
		return utilexec.CodeExitError{Err: err, Code: code}
	}
	return err
}
