package main

import (
	"io"
	"strings"
	"sync"
)

// output is what a container has written so far, readable while it still writes.
type output struct {
	mu     sync.Mutex
	more   *sync.Cond
	text   []byte
	closed bool
}

func newOutput() *output {
	o := &output{}
	o.more = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	o.more.Broadcast()
	return len(b), nil
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.more.Broadcast()
}

// read gives the last tail lines (all of them for 0); with follow it goes on until the container has ended.
func (o *output) read(tail int, follow bool) io.ReadCloser {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := 0
	if tail > 0 {
		lines := strings.SplitAfter(strings.TrimSuffix(string(o.text), "\n"), "\n")
		for _, line := range lines[:max(0, len(lines)-tail)] {
			at += len(line)
		}
	}
	if !follow {
		return io.NopCloser(strings.NewReader(string(o.text[at:])))
	}
	reader, writer := io.Pipe()
	go o.follow(at, writer)
	return reader
}

func (o *output) follow(at int, to *io.PipeWriter) {
	defer to.Close()
	for {
		o.mu.Lock()
		for len(o.text) == at && !o.closed {
			o.more.Wait()
		}
		part := append([]byte(nil), o.text[at:]...)
		o.mu.Unlock()
		if len(part) == 0 {
			return
		}
		at += len(part)
		if _, err := to.Write(part); err != nil {
			return
		}
	}
}
