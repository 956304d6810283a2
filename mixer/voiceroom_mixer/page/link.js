// One connection to the mixer: a RTCPeerConnection and its leg.

import { fragmentOf, iceServersOf, restartedAnswer, ufragOf } from './sdp.js';
import { Refusal } from './signalling.js';
import { digestOf } from './stats.js';

export class Link {
  #signalling;
  #pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #transceiver;
  #listen;
  #name;
  #location = '';
  #answer = '';
  leg = '';

  /** `listen`: receive only. `track` may be null: a speaker who has no microphone yet. */
  constructor(signalling, { track, listen, name, onStream, onChange }) {
    this.#signalling = signalling;
    this.#listen = listen;
    this.#name = name;
    this.#transceiver = this.#pc.addTransceiver(track ?? 'audio', {
      direction: listen ? 'recvonly' : 'sendrecv',
    });
    this.#pc.addEventListener('track', ({ track: heard }) => onStream(new MediaStream([heard])));
    for (const name of ['iceconnectionstatechange', 'connectionstatechange']) {
      this.#pc.addEventListener(name, onChange);
    }
  }

  get ice() { return this.#pc.iceConnectionState; }

  /** Whether the path of these stats was found after the last (re)start of ICE. */
  isNew({ remoteUfrag }) { return remoteUfrag === null || remoteUfrag === ufragOf(this.#answer); }

  get connection() { return this.#pc.connectionState; }

  /**
   * Joins with one request. The offer is applied only when it has been answered: gathering starts
   * with the ICE servers of the answer, and a refused offer changes nothing here.
   */
  async join(replaces) {
    const offer = await this.#pc.createOffer();
    const joined = await this.#signalling.join(offer.sdp, { listen: this.#listen, replaces, name: this.#name });
    this.leg = joined.leg;
    this.#location = joined.location;
    const iceServers = iceServersOf(joined.link);
    if (iceServers.length) this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
    await this.#apply(offer, joined.sdp);
  }

  /** New ICE credentials and candidates under the same DTLS association. */
  async restart() {
    const offer = await this.#pc.createOffer({ iceRestart: true });
    const fragment = await this.#signalling.restartIce(this.#location, fragmentOf(offer.sdp));
    await this.#apply(offer, restartedAnswer(this.#answer, fragment));
  }

  /** Resolves when media can flow; a Refusal `no_media` when it has failed or takes too long. */
  async connected(withinMs) {
    const failure = () => new Refusal(0, 'no_media', `the connection is ${this.connection}`);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(failure()), withinMs);
      const look = () => {
        if (this.connection === 'connected') resolve();
        else if (['failed', 'closed'].includes(this.connection)) reject(failure());
        else return;
        clearTimeout(timer);
      };
      this.#pc.addEventListener('connectionstatechange', look);
      look();
    });
  }

  async replaceTrack(track) { await this.#transceiver.sender.replaceTrack(track); }

  async stats() { return digestOf(await this.#pc.getStats()); }

  close() { this.#pc.close(); }

  /** Tells the mixer, then closes. */
  async leave() {
    const told = this.#location ? this.#signalling.leave(this.#location) : null;
    this.close();
    await told;
  }

  async #apply(offer, answer) {
    await this.#pc.setLocalDescription(offer);
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: answer });
    this.#answer = answer;
  }
}
