// The page around the people: which part shows in which state, notices, spoken news.

import { BUTTONS, NOTICES, PILLS, SAY, noticeFor } from './words.js';

export const $ = (id) => document.getElementById(id);

const NEWS_MS = 1000;

export function showState(state, everLive) {
  const [tone, words] = PILLS[state];
  $('pill').dataset.tone = tone;
  $('pill').textContent = words;
  const inCall = ['live', 'restarting'].includes(state) || (state === 'reconnecting' && everLive);
  Object.assign(document.body.dataset, { state, inCall });
  $('call').hidden = !inCall;
  $('controls').hidden = !inCall;
  $('count').hidden = !inCall;
  $('join').hidden = inCall;
  const busy = state === 'joining' || state === 'reconnecting';
  for (const control of $('join-form').elements) control.disabled = busy;
}

/** `actions`: [[words, act], ...]; a press of any closes the notice. */
export function showNotice(code, actions = [], extra = '') {
  const [tone, title, text] = NOTICES[code] ? NOTICES[code] : noticeFor(code);
  $('notice').dataset.tone = tone;
  $('notice').dataset.code = code;
  $('notice-title').textContent = title;
  $('notice-text').textContent = [text, extra].filter(Boolean).join(' ');
  $('notice-actions').replaceChildren(...actions.map(([words, act]) => button(words, act)));
  $('notice').hidden = false;
}

export function hideNotice() {
  $('notice').hidden = true;
  delete $('notice').dataset.code;
}

function button(words, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = words;
  made.addEventListener('click', () => { hideNotice(); void act?.(); });
  return made;
}

/** Counts down in the notice, so that a wait does not look like a hang. */
export class Countdown {
  #timer = 0;

  start(code, waitMs, actions) {
    this.stop();
    const endsAt = performance.now() + waitMs;
    showNotice(code, actions);
    const text = NOTICES[code]?.[2] ?? noticeFor(code)[2];
    const look = () => {
      const left = Math.ceil((endsAt - performance.now()) / 1000);
      $('notice-text').textContent = left > 1 ? `${text} ${SAY.retryIn(left)}` : text;
      if (left <= 1) this.stop();
    };
    this.#timer = setInterval(look, 1000);
    look();
  }

  stop() { clearInterval(this.#timer); }
}

/** What a screen reader says. News within a second are told together. */
export class News {
  #came = [];
  #went = [];
  #other = [];
  #timer = 0;

  came(name) { this.#came.push(name); this.#soon(); }

  went(name) { this.#went.push(name); this.#soon(); }

  say(words) { this.#other.push(words); this.#soon(); }

  #soon() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => this.#tell(), NEWS_MS);
  }

  #tell() {
    const parts = [...this.#other];
    if (this.#came.length) parts.push(SAY.joined(this.#came));
    if (this.#went.length) parts.push(SAY.left(this.#went));
    $('live').textContent = parts.join(' ');
    this.#came = [];
    this.#went = [];
    this.#other = [];
    this.#timer = 0;
  }
}

/** A button that is on or off: its pressed state and its words. */
export function showToggle(id, on, words) {
  $(id).setAttribute('aria-pressed', String(on));
  $(id).querySelector('span').textContent = words;
}

export function showMute(muted, usable) {
  showToggle('mute', muted, muted ? BUTTONS.unmute : BUTTONS.mute);
  $('mute').querySelector('use').setAttribute('href', muted ? '#i-mic-off' : '#i-mic');
  $('mute').disabled = !usable;
}

export function showRoom(roster) {
  $('locked').hidden = !roster.locked;
  $('count').textContent = SAY.people(roster.people.size);
  $('alone').hidden = roster.people.size !== 1 || !roster.mine;
  showToggle('lock', roster.locked, roster.locked ? BUTTONS.unlock : BUTTONS.lock);
  showToggle('mute-all', roster.muteAll, roster.muteAll ? BUTTONS.unmuteAll : BUTTONS.muteAll);
}
