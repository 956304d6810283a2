// The call: joins, watches, restarts ICE, rejoins. States and verdicts are tables in states.js.

import { Link } from './link.js';
import { Refusal } from './signalling.js';
import { CONNECT_MS, DISCONNECTED_MS, RESTART_MS, RTP_SILENCE_MS, TABLE, verdict } from './states.js';

const WATCH_MS = 500;
const AGAIN_MS = 250;

/** Events: `state` {detail: {state, was, reason, waitMs}}, `stream` {detail: MediaStream}. */
export class Call extends EventTarget {
  #signalling;
  #now;
  #random;
  #state = 'idle';
  #link = null;
  #run = 0; // grows when the call is left or joined: what an older run still awaits is dropped
  #attempt = 0;
  #timer = 0;
  #watching = 0;
  #seen = { received: 0, atMs: 0 };
  #troubleMs = null;
  #restart = null;
  #wish = { track: null, listen: false, name: '' };
  everLive = false;
  leg = '';

  constructor(signalling, { now = () => performance.now(), random = Math.random } = {}) {
    super();
    this.#signalling = signalling;
    this.#now = now;
    this.#random = random;
    addEventListener('online', () => this.#hurry());
  }

  get state() { return this.#state; }

  /** `replaces`: the leg this one takes the place of (after a reload), or ''. */
  join({ track, listen, name = '', replaces = '' }) {
    if (!this.#step('join')) return;
    this.#wish = { track, listen, name };
    this.leg = replaces;
    this.everLive = false;
    this.#attempt = 0;
    this.#run += 1;
    void this.#try(this.#run);
  }

  /** Ends by the person's wish, or because the room says so (`reason`: left, kicked, closed). */
  async end(reason) {
    const link = this.#link;
    if (!this.#step('end', { reason })) return;
    this.#quiet();
    await (reason === 'left' ? link?.leave() : link?.close());
  }

  /** The page is going: say goodbye with a request that outlives it. */
  farewell() { void this.#link?.leave(); }

  /** The room moves, or the path looks bad: ask for new candidates. */
  restart(reason) {
    if (this.#state === 'live') void this.#restartIce(reason);
  }

  async useTrack(track) {
    this.#wish.track = track;
    await this.#link?.replaceTrack(track);
  }

  async stats() { return this.#link ? this.#link.stats() : null; }

  #step(step, detail = {}) {
    const next = TABLE[this.#state][step];
    if (!next) return false;
    const was = this.#state;
    this.#state = next;
    this.dispatchEvent(new CustomEvent('state', { detail: { state: next, was, waitMs: 0, ...detail } }));
    return true;
  }

  #quiet() {
    this.#run += 1;
    clearTimeout(this.#timer);
    clearInterval(this.#watching);
    this.#link = null;
    this.#restart = null;
    this.#troubleMs = null;
  }

  async #try(run) {
    const link = new Link(this.#signalling, {
      ...this.#wish,
      onStream: (stream) => this.dispatchEvent(new CustomEvent('stream', { detail: stream })),
      onChange: () => { if (link === this.#link) this.#look(); },
    });
    try {
      await link.join(this.leg);
      if (run !== this.#run) return await link.leave();
      this.#link = link;
      this.leg = link.leg;
      await link.connected(CONNECT_MS);
      if (run === this.#run) this.#joined(link);
    } catch (error) {
      this.#failedTry(run, link, asRefusal(error));
    }
    return undefined;
  }

  #joined(link) {
    this.#attempt = 0;
    this.everLive = true;
    this.#seen = { received: 0, atMs: this.#now() };
    this.#watching = setInterval(() => this.#watch(link), WATCH_MS);
    void link.replaceTrack(this.#wish.track); // it may have changed while we were joining
    this.#step('joined');
  }

  #failedTry(run, link, failure) {
    link.close();
    if (run !== this.#run) return;
    this.#quiet();
    const { step, waitMs } = verdict(failure, {
      attempt: this.#attempt, everLive: this.everLive, random: this.#random(),
    });
    this.#attempt += 1;
    if (step === 'lost') this.#again(waitMs, failure.code);
    else this.#step(step, { reason: failure.code, status: failure.status });
  }

  #lost(reason) {
    const link = this.#link;
    this.#quiet();
    link?.close();
    const { waitMs } = verdict(new Refusal(0, reason, reason), {
      attempt: 0, everLive: true, random: this.#random(),
    });
    this.#again(waitMs, reason);
  }

  #again(waitMs, reason) {
    if (!this.#step('lost', { waitMs, reason })) return;
    const run = this.#run;
    this.#timer = setTimeout(() => void this.#try(run), waitMs);
  }

  /** The network is back: do not wait for the rest of the back-off. */
  #hurry() {
    if (this.#state !== 'reconnecting' || this.#link) return;
    clearTimeout(this.#timer);
    this.#run += 1;
    void this.#try(this.#run);
  }

  async #watch(link) {
    const stats = await link.stats();
    if (link !== this.#link) return;
    if (stats.received !== this.#seen.received) {
      const taken = this.#seen.ssrc && stats.ssrc && stats.ssrc !== this.#seen.ssrc;
      this.#seen = { received: stats.received, ssrc: stats.ssrc, atMs: this.#now() };
      // another pod sends by itself: the one that we speak to may be gone
      if (taken) this.restart('taken');
      if (this.#restart?.answered && link.isNew(stats)) this.#recovered();
    }
    this.#look();
  }

  /** Decides from what is known now: dead, in trouble, or well. */
  #look() {
    if (!this.#link || !['live', 'restarting'].includes(this.#state)) return;
    const now = this.#now();
    const silent = now - this.#seen.atMs > RTP_SILENCE_MS;
    const failed = this.#link.ice === 'failed' || this.#link.connection === 'failed';
    const stuck = this.#restart !== null && now - this.#restart.atMs > RESTART_MS;
    if (silent || failed || stuck) return void this.#lost('lost');
    this.#troubleMs = this.#link.ice === 'disconnected' ? (this.#troubleMs ?? now) : null;
    if (this.#troubleMs !== null && now - this.#troubleMs > DISCONNECTED_MS) this.restart('disconnected');
    return undefined;
  }

  async #restartIce(reason) {
    const link = this.#link;
    const restart = { atMs: this.#now(), answered: false };
    this.#restart = restart;
    this.#step('trouble', { reason });
    try {
      await this.#patiently(link, restart);
      restart.answered = true;
    } catch (error) {
      const { code } = asRefusal(error);
      if (link === this.#link && restart === this.#restart) this.#lost(code);
    }
  }

  /** The room is between two pods for a moment: ask again, as long as a restart may take. */
  async #patiently(link, restart) {
    for (;;) {
      try {
        return await link.restart();
      } catch (error) {
        const passing = error instanceof Refusal && (error.status === 0 || error.status >= 500);
        const late = this.#now() - restart.atMs > RESTART_MS - AGAIN_MS;
        if (!passing || late || link !== this.#link) throw error;
        await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
      }
    }
  }

  #recovered() {
    if (!['connected', 'completed'].includes(this.#link.ice)) return;
    this.#restart = null;
    this.#troubleMs = null;
    this.#step('recovered');
  }
}

/** A Refusal as it is; what the browser throws at an answer that it cannot use becomes one. */
function asRefusal(error) {
  return error instanceof Refusal ? error : new Refusal(400, 'refused', String(error));
}
