package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const frame = 20 * time.Millisecond

var opusCodec = webrtc.RTPCodecCapability{
	MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
	SDPFmtpLine: "minptime=10;useinbandfec=1",
}

// readPackets reads a packet file; its format is in load/media.h.
func readPackets(path string) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	in := bytes.NewReader(raw)
	var head struct {
		Magic          [4]byte
		Samples, Count uint32
	}
	if err := binary.Read(in, binary.LittleEndian, &head); err != nil {
		return nil, err
	}
	if string(head.Magic[:]) != "VRPK" || head.Count == 0 {
		return nil, errors.New(path + " is not a packet file")
	}
	packets := make([][]byte, head.Count)
	for i := range packets {
		var one struct {
			Length       uint16
			Level, Voice uint8
		}
		if err := binary.Read(in, binary.LittleEndian, &one); err != nil {
			return nil, err
		}
		packets[i] = make([]byte, one.Length)
		if _, err := io.ReadFull(in, packets[i]); err != nil {
			return nil, err
		}
	}
	return packets, nil
}

// publish asks for a track; its packets flow once the server has answered our offer.
func (c *client) publish(path string) error {
	packets, err := readPackets(path)
	if err != nil {
		return err
	}
	if c.track, err = webrtc.NewTrackLocalStaticSample(opusCodec, "microphone", "voice"); err != nil {
		return err
	}
	if _, err := c.peers[livekit.SignalTarget_PUBLISHER].AddTrack(c.track); err != nil {
		return err
	}
	go c.talk(packets)
	return c.signal.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{
		AddTrack: &livekit.AddTrackRequest{
			Cid: "microphone", Name: "microphone", Type: livekit.TrackType_AUDIO,
			Source: livekit.TrackSource_MICROPHONE,
		}}})
}

// talk sends one packet a frame for ever, at absolute times.
func (c *client) talk(packets [][]byte) {
	begin := time.Now()
	for n := 0; ; n++ {
		time.Sleep(time.Until(begin.Add(time.Duration(n) * frame)))
		sample := media.Sample{Data: packets[n%len(packets)], Duration: frame}
		if err := c.track.WriteSample(sample); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			c.run.window.addError()
		}
		if c.run.measuring.Load() {
			c.run.sent.Add(1)
		}
	}
}

// hear takes in one talker's stream until it ends.
func (c *client) hear(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	var stream stream
	c.streams.Add(1)
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			c.streams.Add(-1)
			return
		}
		stream.note(c, packet.SequenceNumber, time.Now())
	}
}
