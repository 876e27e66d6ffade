package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os/exec"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/virtual-kubelet/virtual-kubelet/errdefs"
	"github.com/virtual-kubelet/virtual-kubelet/node/api"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	statsv1alpha1 "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// provider holds the node's pods. A pod's status changes only here, under the lock.
type provider struct {
	mu      sync.Mutex
	pods    map[string]*corev1.Pod // "namespace/pod"
	outputs map[string]*output     // "namespace/pod/container"
	running map[string]int         // process group by "namespace/pod/container"
	inside  map[int]string         // "namespace/pod" by the process group of an exec
	notify  func(*corev1.Pod)
	client  kubernetes.Interface
	groups  *groups
	execs   *execs
}

func newProvider(client kubernetes.Interface, folder string) *provider {
	return &provider{
		client: client,
		pods:   map[string]*corev1.Pod{}, outputs: map[string]*output{}, running: map[string]int{}, inside: map[int]string{},
		notify: func(*corev1.Pod) {},
		groups: &groups{folder: folder, alive: map[int]bool{}},
		execs:  &execs{ended: map[string]chan struct{}{}},
	}
}

func key(parts ...string) string { return strings.Join(parts, "/") }

func (p *provider) killAll() { p.groups.endAll() }

func (p *provider) CreatePod(_ context.Context, pod *corev1.Pod) error {
	pod = pod.DeepCopy()
	now := metav1.Now()
	pod.Status.StartTime, pod.Status.PodIP, pod.Status.HostIP = &now, "127.0.0.1", "127.0.0.1"
	pod.Status.PodIPs = []corev1.PodIP{{IP: "127.0.0.1"}}
	pod.Status.ContainerStatuses = make([]corev1.ContainerStatus, len(pod.Spec.Containers))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pods[key(pod.Namespace, pod.Name)] = pod
	for i := range pod.Spec.Containers {
		c, yes := &pod.Spec.Containers[i], true
		st := &pod.Status.ContainerStatuses[i]
		*st = corev1.ContainerStatus{Name: c.Name, Image: c.Image}
		if strings.HasSuffix(c.Image, ":missing") {
			st.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image \"" + c.Image + "\""}
			continue
		}
		out := newOutput()
		p.outputs[key(pod.Namespace, pod.Name, c.Name)] = out
		st.Ready, st.Started, st.ImageID, st.ContainerID = true, &yes, c.Image, "process://"+string(pod.UID)+"/"+c.Name
		st.State.Running = &corev1.ContainerStateRunning{StartedAt: now}
		if len(c.Command) == 0 {
			continue
		}
		p.start(pod, i, out)
	}
	p.report(pod)
	return nil
}

// start runs one container's command; called under the lock.
func (p *provider) start(pod *corev1.Pod, i int, out *output) {
	c := &pod.Spec.Containers[i]
	cmd, err := command(c, append(append([]string{}, c.Command...), c.Args...))
	if err == nil {
		cmd.Stdout, cmd.Stderr = out, out
		err = p.groups.start(cmd)
	}
	if err != nil {
		_, _ = out.Write([]byte(err.Error() + "\n"))
		out.close()
		p.end(pod, i, 127, "StartError", err.Error())
		return
	}
	id := key(pod.Namespace, pod.Name, c.Name)
	p.running[id] = cmd.Process.Pid
	go func() {
		code, reason := int32(0), "Completed"
		if err := cmd.Wait(); err != nil {
			code, reason = 137, "Error"
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() >= 0 {
				code = int32(exit.ExitCode())
			}
		}
		p.groups.end(cmd.Process.Pid)
		out.close()
		p.mu.Lock()
		defer p.mu.Unlock()
		// A pod of the same name may have taken the place.
		if p.running[id] == cmd.Process.Pid {
			delete(p.running, id)
		}
		if p.pods[key(pod.Namespace, pod.Name)] == pod {
			p.end(pod, i, code, reason, "")
			p.report(pod)
		}
	}()
}

// end records how a container ended; called under the lock.
func (p *provider) end(pod *corev1.Pod, i int, code int32, reason, message string) {
	st, no := &pod.Status.ContainerStatuses[i], false
	ended := &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, FinishedAt: metav1.Now(), ContainerID: st.ContainerID}
	if st.State.Running != nil {
		ended.StartedAt = st.State.Running.StartedAt
	}
	st.Ready, st.Started, st.State = false, &no, corev1.ContainerState{Terminated: ended}
}

// report derives phase and conditions from the containers and tells virtual-kubelet; called under the lock.
func (p *provider) report(pod *corev1.Pod) {
	waiting, running, failed, ready := false, false, false, true
	for _, st := range pod.Status.ContainerStatuses {
		ready = ready && st.Ready
		waiting = waiting || st.State.Waiting != nil
		running = running || st.State.Running != nil
		failed = failed || st.State.Terminated != nil && st.State.Terminated.ExitCode != 0
	}
	reason := ""
	switch {
	case waiting:
		pod.Status.Phase, reason = corev1.PodPending, "ContainersNotReady"
	case running:
		pod.Status.Phase, reason = corev1.PodRunning, "ContainersNotReady"
	case failed:
		pod.Status.Phase, reason = corev1.PodFailed, "PodFailed"
	default:
		pod.Status.Phase, reason = corev1.PodSucceeded, "PodCompleted"
	}
	condition(pod, corev1.PodScheduled, true, "")
	condition(pod, corev1.PodInitialized, true, "")
	condition(pod, corev1.ContainersReady, ready, reason)
	condition(pod, corev1.PodReady, ready, reason)
	p.notify(pod.DeepCopy())
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType, holds bool, reason string) {
	want := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
	if !holds {
		want.Status, want.Reason = corev1.ConditionFalse, reason
	}
	for i := range pod.Status.Conditions {
		if held := &pod.Status.Conditions[i]; held.Type == kind {
			if held.Status == want.Status {
				want.LastTransitionTime = held.LastTransitionTime
			}
			*held = want
			return
		}
	}
	pod.Status.Conditions = append(pod.Status.Conditions, want)
}

// UpdatePod takes new labels and annotations over; nothing else of a running pod can change here.
func (p *provider) UpdatePod(_ context.Context, pod *corev1.Pod) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if held, ok := p.pods[key(pod.Namespace, pod.Name)]; ok {
		held.ObjectMeta = *pod.ObjectMeta.DeepCopy()
	}
	return nil
}

func (p *provider) DeletePod(_ context.Context, pod *corev1.Pod) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	held, ok := p.pods[key(pod.Namespace, pod.Name)]
	if !ok {
		return errdefs.NotFound("pod not found")
	}
	delete(p.pods, key(pod.Namespace, pod.Name))
	for i := range held.Spec.Containers {
		id := key(pod.Namespace, pod.Name, held.Spec.Containers[i].Name)
		if group, ok := p.running[id]; ok {
			p.groups.end(group)
			delete(p.running, id)
		}
		delete(p.outputs, id)
		if held.Status.ContainerStatuses[i].State.Terminated == nil {
			p.end(held, i, 137, "Error", "")
		}
	}
	// An exec's process is one of the container's: it goes with it.
	for group, inside := range p.inside {
		if inside == key(pod.Namespace, pod.Name) {
			p.groups.end(group)
		}
	}
	p.report(held)
	// virtual-kubelet itself would wait for the whole grace period, although nothing runs any more.
	go p.remove(held.Namespace, held.Name, held.UID)
	return nil
}

// remove ends a pod's object; one of the same name that came after it is left alone.
func (p *provider) remove(ns, name string, uid types.UID) {
	now := int64(0)
	options := metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &uid}}
	if err := p.client.CoreV1().Pods(ns).Delete(context.Background(), name, options); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		log.Printf("delete pod %s/%s: %v", ns, name, err)
	}
}

func (p *provider) GetPod(_ context.Context, ns, name string) (*corev1.Pod, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pod, ok := p.pods[key(ns, name)]; ok {
		return pod.DeepCopy(), nil
	}
	return nil, errdefs.NotFound("pod not found")
}

func (p *provider) GetPodStatus(ctx context.Context, ns, name string) (*corev1.PodStatus, error) {
	pod, err := p.GetPod(ctx, ns, name)
	if err != nil {
		return nil, err
	}
	return &pod.Status, nil
}

func (p *provider) GetPods(context.Context) (all []*corev1.Pod, _ error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pod := range p.pods {
		all = append(all, pod.DeepCopy())
	}
	return all, nil
}

func (p *provider) NotifyPods(_ context.Context, f func(*corev1.Pod)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notify = f
}

func (p *provider) GetContainerLogs(_ context.Context, ns, pod, name string, opts api.ContainerLogOpts) (io.ReadCloser, error) {
	p.mu.Lock()
	out := p.outputs[key(ns, pod, name)]
	p.mu.Unlock()
	if out == nil || opts.Previous {
		return nil, errdefs.NotFound("container not found")
	}
	return out.read(opts.Tail, opts.Follow), nil
}

func (p *provider) AttachToContainer(context.Context, string, string, string, api.AttachIO) error {
	return errdefs.InvalidInput("attach is not supported")
}

func (p *provider) GetStatsSummary(context.Context) (*statsv1alpha1.Summary, error) {
	return &statsv1alpha1.Summary{}, nil
}

func (p *provider) GetMetricsResource(context.Context) ([]*dto.MetricFamily, error) { return nil, nil }

func (p *provider) PortForward(context.Context, string, string, int32, io.ReadWriteCloser) error {
	return errdefs.InvalidInput("port-forward is not supported")
}
