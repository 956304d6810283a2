package main

import (
	"fmt"
	"log"
	"net"
	"sync/atomic"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// client is one participant: a connection that it sends on and one that it hears on.
type client struct {
	run       *run
	signal    *signalling
	peers     map[livekit.SignalTarget]*webrtc.PeerConnection
	early     map[livekit.SignalTarget][]webrtc.ICECandidateInit
	track     *webrtc.TrackLocalStaticSample
	publishes bool
	streams   atomic.Int64
	received  atomic.Int64
}

func newPeer() (*webrtc.PeerConnection, error) {
	var engine webrtc.MediaEngine
	var interceptors interceptor.Registry
	var settings webrtc.SettingEngine
	opus := webrtc.RTPCodecParameters{RTPCodecCapability: opusCodec, PayloadType: 111}
	if err := engine.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureRTCPReports(&interceptors); err != nil {
		return nil, err
	}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(net.IP.IsLoopback)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&engine), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptors))
	return api.NewPeerConnection(webrtc.Configuration{})
}

// join connects, publishes when there is media, and goes on by itself.
func join(r *run, one spec) (*client, error) {
	signal, err := dial(r.url, one.Token)
	if err != nil {
		return nil, err
	}
	c := &client{run: r, signal: signal, publishes: one.Media != "",
		peers: map[livekit.SignalTarget]*webrtc.PeerConnection{},
		early: map[livekit.SignalTarget][]webrtc.ICECandidateInit{}}
	for _, target := range []livekit.SignalTarget{livekit.SignalTarget_PUBLISHER, livekit.SignalTarget_SUBSCRIBER} {
		if c.peers[target], err = newPeer(); err != nil {
			return nil, err
		}
	}
	c.peers[livekit.SignalTarget_SUBSCRIBER].OnTrack(c.hear)
	if c.publishes {
		if err := c.publish(one.Media); err != nil {
			return nil, err
		}
	}
	go c.follow()
	go signal.keepAlive()
	return c, nil
}

// follow handles what the server says until the program ends.
func (c *client) follow() {
	for {
		response, err := c.signal.receive()
		if err == nil {
			err = c.handle(response)
		}
		if err != nil {
			log.Fatalf("signalling: %v", err)
		}
	}
}

func (c *client) handle(response *livekit.SignalResponse) error {
	switch message := response.Message.(type) {
	case *livekit.SignalResponse_Offer:
		return c.answer(message.Offer)
	case *livekit.SignalResponse_Answer:
		return c.accept(livekit.SignalTarget_PUBLISHER, message.Answer)
	case *livekit.SignalResponse_Trickle:
		return c.trickle(message.Trickle)
	case *livekit.SignalResponse_TrackPublished:
		return c.offer()
	case *livekit.SignalResponse_Leave:
		return fmt.Errorf("the server ended it: %s", message.Leave.Reason)
	}
	return nil
}

func (c *client) accept(target livekit.SignalTarget, remote *livekit.SessionDescription) error {
	peer := c.peers[target]
	if err := peer.SetRemoteDescription(description(remote)); err != nil {
		return err
	}
	for _, one := range c.early[target] {
		if err := peer.AddICECandidate(one); err != nil {
			return err
		}
	}
	delete(c.early, target)
	return nil
}

func (c *client) trickle(message *livekit.TrickleRequest) error {
	one, err := candidate(message)
	if err != nil {
		return err
	}
	peer := c.peers[message.Target]
	if peer.RemoteDescription() == nil {
		c.early[message.Target] = append(c.early[message.Target], one)
		return nil
	}
	return peer.AddICECandidate(one)
}

// settle sets our side and waits for our candidates, so that none need to be sent afterwards.
func settle(peer *webrtc.PeerConnection, local webrtc.SessionDescription, err error) (*livekit.SessionDescription, error) {
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(local); err != nil {
		return nil, err
	}
	<-gathered
	return describe(peer.LocalDescription()), nil
}

func (c *client) answer(remote *livekit.SessionDescription) error {
	if err := c.accept(livekit.SignalTarget_SUBSCRIBER, remote); err != nil {
		return err
	}
	peer := c.peers[livekit.SignalTarget_SUBSCRIBER]
	made, err := peer.CreateAnswer(nil)
	local, err := settle(peer, made, err)
	if err != nil {
		return err
	}
	return c.signal.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{Answer: local}})
}

func (c *client) offer() error {
	peer := c.peers[livekit.SignalTarget_PUBLISHER]
	made, err := peer.CreateOffer(nil)
	local, err := settle(peer, made, err)
	if err != nil {
		return err
	}
	return c.signal.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: local}})
}
