// Joins a room by WHIP with pion, sends the Opus packets of a file in a loop, and writes down every
// packet that comes: nanoseconds of arrival, sequence number, timestamp, SSRC.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const frame = 20 * time.Millisecond

func main() {
	if len(os.Args) != 5 {
		log.Fatal("pionclient URL TOKEN SOUND HEARD")
	}
	client, err := join(os.Args[1], os.Args[2], os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	sound, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	for at, next := 0, time.Now(); ; next = next.Add(frame) {
		size := int(binary.BigEndian.Uint16(sound[at:]))
		payload := sound[at+2 : at+2+size]
		if at += 2 + size; at >= len(sound) {
			at = 0
		}
		time.Sleep(time.Until(next))
		if err := client.WriteSample(media.Sample{Data: payload, Duration: frame}); err != nil {
			log.Fatal(err)
		}
	}
}

func join(url, token, heard string) (*webrtc.TrackLocalStaticSample, error) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	// The answer names no SSRC, so that a take-over may bring another one.
	settings.SetHandleUndeclaredSSRCWithoutAnswer(true)
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings))
	connection, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	track, err := webrtc.NewTrackLocalStaticSample(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "pion")
	if err != nil {
		return nil, err
	}
	if _, err = connection.AddTrack(track); err != nil {
		return nil, err
	}
	connection.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { listen(remote, heard) })
	connection.OnICEConnectionStateChange(func(state webrtc.ICEConnectionState) { say("ice %s", state) })
	return track, negotiate(connection, url, token)
}

func negotiate(connection *webrtc.PeerConnection, url, token string) error {
	offer, err := connection.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err = connection.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	request, err := http.NewRequest("POST", url, strings.NewReader(connection.LocalDescription().SDP))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/sdp")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %s (%v)", response.Status, answer, err)
	}
	say("location %s", response.Header.Get("Location"))
	return connection.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)})
}

func listen(remote *webrtc.TrackRemote, heard string) {
	file, err := os.OpenFile(heard, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(file)
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			say("ended %v", err)
			return
		}
		fmt.Fprintln(out, time.Now().UnixNano(), packet.SequenceNumber, packet.Timestamp, packet.SSRC)
		out.Flush()
	}
}

func say(format string, what ...any) { fmt.Printf(format+"\n", what...) }
