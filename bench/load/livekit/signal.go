package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"
)

const (
	protocolVersion = "15"
	pingEvery       = 5 * time.Second
)

// signalling is LiveKit's protobuf-over-websocket protocol.
type signalling struct {
	conn  *websocket.Conn
	write sync.Mutex
}

func dial(base, token string) (*signalling, error) {
	query := url.Values{
		"access_token":   {token},
		"auto_subscribe": {"1"},
		"protocol":       {protocolVersion},
		"sdk":            {"go"},
	}
	conn, _, err := websocket.DefaultDialer.Dial(base+"/rtc?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("signalling: %w", err)
	}
	return &signalling{conn: conn}, nil
}

func (s *signalling) send(request *livekit.SignalRequest) error {
	raw, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	return s.conn.WriteMessage(websocket.BinaryMessage, raw)
}

func (s *signalling) receive() (*livekit.SignalResponse, error) {
	for {
		kind, raw, err := s.conn.ReadMessage()
		if err != nil {
			return nil, err
		}
		if kind == websocket.BinaryMessage {
			response := &livekit.SignalResponse{}
			return response, proto.Unmarshal(raw, response)
		}
	}
}

func (s *signalling) keepAlive() {
	for range time.Tick(pingEvery) {
		ping := &livekit.SignalRequest_PingReq{PingReq: &livekit.Ping{Timestamp: time.Now().UnixMilli()}}
		if s.send(&livekit.SignalRequest{Message: ping}) != nil {
			return // the reader reports the broken connection
		}
	}
}

func describe(d *webrtc.SessionDescription) *livekit.SessionDescription {
	return &livekit.SessionDescription{Type: d.Type.String(), Sdp: d.SDP}
}

func description(d *livekit.SessionDescription) webrtc.SessionDescription {
	return webrtc.SessionDescription{Type: webrtc.NewSDPType(d.Type), SDP: d.Sdp}
}

func candidate(trickle *livekit.TrickleRequest) (webrtc.ICECandidateInit, error) {
	var init webrtc.ICECandidateInit
	return init, json.Unmarshal([]byte(trickle.CandidateInit), &init)
}
