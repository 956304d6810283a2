// Participants for a LiveKit server: livekit URL CLIENTS.json
//
// CLIENTS.json is a list of {"token", "media"}: who has media publishes that packet file (written by
// encode.c) over and over, everybody subscribes to all. It prints "ready" when all hear all; then
// "begin" on standard input starts the measured window and "end" ends it with one JSON object.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	parallel    = 8
	readyWithin = 60 * time.Second
	lookEvery   = 50 * time.Millisecond
)

type spec struct {
	Token string `json:"token"`
	Media string `json:"media"`
}

// run is what all clients share.
type run struct {
	url       string
	measuring atomic.Bool
	sent      atomic.Int64
	window    window
}

func readSpecs(path string) ([]spec, int) {
	raw, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var specs []spec
	if err := json.Unmarshal(raw, &specs); err != nil {
		log.Fatalf("%s: %v", path, err)
	}
	talkers := 0
	for _, one := range specs {
		if one.Media != "" {
			talkers++
		}
	}
	return specs, talkers
}

func joinAll(r *run, specs []spec) []*client {
	clients := make([]*client, len(specs))
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, one := range specs {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; group.Done() }()
			joined, err := join(r, one)
			if err != nil {
				log.Fatalf("client %d: %v", i, err)
			}
			clients[i] = joined
		}()
	}
	group.Wait()
	return clients
}

// awaitAll returns when every client receives every talker but itself.
func awaitAll(clients []*client, talkers int) {
	deadline := time.Now().Add(readyWithin)
	for _, c := range clients {
		want := int64(talkers)
		if c.publishes {
			want--
		}
		for c.streams.Load() < want {
			if time.Now().After(deadline) {
				log.Fatalf("a client has %d of %d streams after %s", c.streams.Load(), want, readyWithin)
			}
			time.Sleep(lookEvery)
		}
	}
}

func await(in *bufio.Scanner, word string) {
	if !in.Scan() || in.Text() != word {
		log.Fatalf("expected %q on standard input", word)
	}
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: livekit URL CLIENTS.json")
	}
	specs, talkers := readSpecs(os.Args[2])
	r := &run{url: os.Args[1]}
	clients := joinAll(r, specs)
	awaitAll(clients, talkers)
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	await(in, "begin")
	began := time.Now()
	r.measuring.Store(true)
	await(in, "end")
	r.measuring.Store(false)
	r.window.print(time.Since(began), r.sent.Load(), clients)
}
