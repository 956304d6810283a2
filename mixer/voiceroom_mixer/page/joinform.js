// The form in front of the call: name, PIN, microphone and its test.

import { MicrophoneError, NONE, fillMicrophones, openMicrophone } from './microphone.js';
import { LocalMeter } from './meters.js';
import { BUTTONS, SAY } from './words.js';
import { $, showNotice } from './view.js';

const NAME_KEY = 'voiceroom:name';

/** Event: `wish` {detail: {name, pin, device, muted, listen}}. */
export class JoinForm extends EventTarget {
  #meter = new LocalMeter($('mic-meter'));
  #tested = null;
  #listener = false;

  constructor() {
    super();
    $('name').value = localStorage.getItem(NAME_KEY) ?? '';
    $('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#wish(this.device === NONE);
    });
    $('join-listen').addEventListener('click', () => {
      if ($('join-form').reportValidity()) this.#wish(true);
    });
    $('mic-test').addEventListener('click', () => void this.#test());
    $('join-mic').addEventListener('change', () => { if (this.#tested) void this.#open(); });
  }

  get device() { return $('join-mic').value; }

  /** Shows what these claims ask for: {} means no token, so a PIN is needed. */
  async show(claims) {
    const listener = claims.role === 'listener';
    const named = Boolean(claims.sub);
    this.#listener = listener;
    $('join-as').textContent = named ? SAY.joinAs(claims.sub, claims.role) : '';
    $('pin-row').hidden = named;
    $('pin').required = !named;
    $('name').required = !named;
    $('name-row').hidden = listener;
    $('name-hint').textContent = named ? SAY.nameBeside(claims.sub) : SAY.nameShared;
    for (const id of ['mic-row', 'muted-row', 'join-listen']) $(id).hidden = listener;
    $('join-go').textContent = listener ? BUTTONS.listen : BUTTONS.join;
    await fillMicrophones($('join-mic'));
  }

  /** The microphone test ends: its device is wanted by the call, or the page goes. */
  stopTest() {
    this.#meter.detach();
    this.#tested?.stop();
    this.#tested = null;
    this.#showTest();
  }

  #wish(listen) {
    const name = this.#listener ? '' : $('name').value.trim();
    this.stopTest();
    if (!this.#listener) localStorage.setItem(NAME_KEY, name);
    const detail = { name, pin: $('pin').value.trim(), device: this.device, muted: $('join-muted').checked, listen };
    this.dispatchEvent(new CustomEvent('wish', { detail }));
  }

  async #test() {
    if (this.#tested) this.stopTest();
    else await this.#open();
  }

  async #open() {
    this.stopTest();
    if (this.device === NONE) return;
    try {
      this.#tested = await openMicrophone(this.device);
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      showNotice(error.code, [[BUTTONS.close]]);
      return;
    }
    await fillMicrophones($('join-mic'));
    this.#meter.attach(this.#tested);
    this.#showTest();
  }

  #showTest() {
    const on = this.#tested !== null;
    $('mic-test').setAttribute('aria-pressed', String(on));
    $('mic-test').textContent = on ? BUTTONS.stopTest : BUTTONS.test;
    $('mic-meter').hidden = !on;
  }
}
