package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// window is what all clients saw while it was measured.
type window struct {
	mutex     sync.Mutex
	gapsUs    []int64
	lost      int64
	reordered int64
	errors    int64
}

// stream is one talker as one client hears it.
type stream struct {
	heard bool
	last  uint16
	at    time.Time
}

func (s *stream) note(c *client, seq uint16, now time.Time) {
	step := int16(seq - s.last)
	keep := c.run.measuring.Load()
	if keep {
		c.received.Add(1)
	}
	if s.heard && keep {
		c.run.window.add(step, now.Sub(s.at))
	}
	if !s.heard || step > 0 {
		s.heard, s.last, s.at = true, seq, now
	}
}

func (w *window) addError() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.errors++
}

func (w *window) add(step int16, gap time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if step <= 0 {
		w.reordered++
		return
	}
	w.lost += int64(step - 1)
	w.gapsUs = append(w.gapsUs, (gap - time.Duration(step-1)*frame).Microseconds())
}

func quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

func printSamples(name string, values []int64) {
	slices.Sort(values)
	fmt.Printf("%q: {\"n\": %d, \"dropped\": 0, \"min\": %d, \"p50\": %d, \"p99\": %d, \"max\": %d}, ",
		name, len(values), quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1))
}

// print writes the same object as the C generator does (load/loadgen.c).
func (w *window) print(took time.Duration, sent int64, clients []*client) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var received, receiving int64
	for _, c := range clients {
		received += c.received.Load()
		if c.received.Load() > 0 {
			receiving++
		}
	}
	fmt.Printf("{\"seconds\": %f, \"legs\": %d, \"sent\": %d, \"send_errors\": %d, ", took.Seconds(), len(clients), sent, w.errors)
	fmt.Printf("\"received\": %d, \"lost\": %d, \"reordered\": %d, \"auth_failures\": 0, ", received, w.lost, w.reordered)
	printSamples("interarrival_us", w.gapsUs)
	for _, name := range []string{"send_late_us", "leg_p99_us", "delay_us"} {
		printSamples(name, nil)
	}
	fmt.Printf("\"unmatched\": 0, \"receiving_legs\": %d}\n", receiving)
}
