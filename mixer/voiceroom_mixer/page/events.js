// The room's event stream. EventSource resumes by Last-Event-ID; what it gives up on is opened anew.

import { backoffMs } from './states.js';

export const TYPES = [
  'joined', 'left', 'talking', 'silent', 'levels', 'muted', 'locked', 'timing',
  'move', 'moved', 'kicked', 'closed', 'reset',
];

export class RoomEvents {
  #urlOf;
  #onEvent;
  #onOpen;
  #source = null;
  #timer = 0;
  #failures = 0;
  #last = ''; // id of the newest event: who opens anew resumes behind it

  /** `onEvent(type, data)`; `onOpen()` after every (re)connection: time to fetch the room. */
  constructor(urlOf, onEvent, onOpen) {
    this.#urlOf = urlOf;
    this.#onEvent = onEvent;
    this.#onOpen = onOpen;
  }

  open() {
    this.close();
    const url = this.#urlOf();
    this.#source = new EventSource(this.#last ? `${url}&lastEventId=${encodeURIComponent(this.#last)}` : url);
    this.#source.addEventListener('open', () => { this.#failures = 0; this.#onOpen(); });
    this.#source.addEventListener('error', () => this.#failed());
    for (const type of TYPES) {
      this.#source.addEventListener(type, ({ data, lastEventId }) => {
        this.#last = lastEventId || this.#last;
        this.#onEvent(type, JSON.parse(data || '{}'));
      });
    }
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #failed() {
    if (this.#source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    const wait = backoffMs(this.#failures, Math.random());
    this.#failures += 1;
    this.#timer = setTimeout(() => this.open(), wait);
  }
}
