// My own microphone in the call: which one, muted or not, and its meter.

import { NONE, openMicrophone } from './microphone.js';
import { LocalMeter } from './meters.js';
import { $, showMute } from './view.js';

/** Events: `gone` when the microphone was unplugged. */
export class OwnMicrophone extends EventTarget {
  #meter = new LocalMeter($('call-meter'));
  #track = null;
  #muted = false;
  #forced = false; // muted by the room for all speakers

  get track() { return this.#track; }

  get muted() { return this.#muted; }

  /** Nothing of me can be heard by my own doing. */
  get silent() { return this.#muted || this.#track === null; }

  /** Opens device `id`; throws MicrophoneError, and then the earlier track stays. */
  async choose(id) {
    const track = id === NONE ? null : await openMicrophone(id);
    this.#drop();
    this.#track = track;
    if (track) this.#meter.attach(track);
    track?.addEventListener('ended', () => this.#ended(track));
    this.#show();
    return track;
  }

  /** Mutes at the source, before anything is sent. */
  mute(muted, forced = this.#forced) {
    this.#muted = muted;
    this.#forced = forced;
    this.#show();
  }

  close() {
    this.#drop();
    this.#show();
  }

  #drop() {
    this.#meter.detach();
    this.#track?.stop();
    this.#track = null;
  }

  #ended(track) {
    if (track !== this.#track) return;
    this.#drop();
    this.#show();
    this.dispatchEvent(new Event('gone'));
  }

  #show() {
    const silent = this.#muted || this.#forced;
    if (this.#track) this.#track.enabled = !silent;
    showMute(silent, this.#track !== null && !this.#forced);
  }
}
