// The list of people. Nodes are kept and changed, so that focus and open options stay where they are.

import { barOf, show } from './meters.js';
import { gainOf } from './volumes.js';
import { BUTTONS, SAY } from './words.js';

const SURE_MS = 4000;
const PATCH_MS = 150;

export class PeopleView {
  #list;
  #template;
  #acts;
  #volumes;
  #rows = new Map();
  #persons = new Map();

  /** `acts`: hears(id, gain), mute(id, muted), kick(id); each returns a promise. */
  constructor(list, template, volumes, acts) {
    this.#list = list;
    this.#template = template;
    this.#volumes = volumes;
    this.#acts = acts;
  }

  /** `canModerate` shows the moderator's buttons; `myName` is shown for myself. */
  render(roster, { canModerate, myName }) {
    for (const [id, row] of this.#rows) {
      if (!roster.people.has(id)) this.#forget(id, row);
    }
    const ordered = [...roster.people.values()].sort((a, b) => (b.id === roster.me) - (a.id === roster.me));
    ordered.forEach((person, index) => {
      const row = this.#rows.get(person.id) ?? this.#add(person);
      if (this.#list.children[index] !== row) this.#list.insertBefore(row, this.#list.children[index] ?? null);
      this.#fill(row, person, { mine: person.id === roster.me, canModerate, myName });
    });
  }

  levels(roster) {
    for (const person of roster.people.values()) {
      const row = this.#rows.get(person.id);
      if (!row) continue;
      const share = person.muted ? 0 : barOf(person.levelDbov);
      show(row, share);
      row.dataset.talking = String(Boolean(person.talking) && !person.muted);
    }
  }

  #forget(id, row) {
    row.remove();
    this.#rows.delete(id);
    this.#persons.delete(id);
  }

  #add(person) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    row.dataset.id = person.id;
    row.style.setProperty('--hue', String(hueOf(nameOf(person))));
    const options = row.querySelector('.options');
    options.id = `options-${person.id}`;
    const more = row.querySelector('.more');
    more.setAttribute('aria-controls', options.id);
    more.addEventListener('click', () => toggle(more, options));
    options.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') { toggle(more, options); more.focus(); }
    });
    this.#wireVolume(row, person.id);
    this.#wireModeration(row, person.id);
    this.#rows.set(person.id, row);
    return row;
  }

  #wireVolume(row, id) {
    const slider = row.querySelector('input');
    const silence = row.querySelector('.silence');
    const tell = later(() => this.#acts.hears(id, gainOf(this.#volumes.of(id))), PATCH_MS);
    const changed = () => {
      this.#volumes.set(id, slider.valueAsNumber);
      this.#showVolume(row, id);
      tell();
    };
    let before = 100;
    slider.value = String(this.#volumes.of(id));
    slider.addEventListener('input', changed);
    silence.addEventListener('click', () => {
      if (slider.valueAsNumber > 0) before = slider.valueAsNumber;
      slider.value = String(slider.valueAsNumber > 0 ? 0 : before);
      changed();
    });
  }

  #wireModeration(row, id) {
    const mute = row.querySelector('.mute');
    const kick = row.querySelector('.kick');
    const label = kick.querySelector('span');
    let timer = 0;
    mute.addEventListener('click', () => this.#acts.mute(id, mute.dataset.muted !== 'true'));
    kick.addEventListener('click', () => {
      if (label.textContent === BUTTONS.kickSure) { this.#acts.kick(id); return; }
      label.textContent = BUTTONS.kickSure;
      clearTimeout(timer);
      timer = setTimeout(() => { label.textContent = BUTTONS.kick; }, SURE_MS);
    });
  }

  #fill(row, person, { mine, canModerate, myName }) {
    const name = (mine && myName) || nameOf(person);
    setText(row.querySelector('.name'), name);
    row.querySelector('.name').title = name;
    setText(row.querySelector('.initials'), initialsOf(name));
    setText(row.querySelector('.about'), aboutOf(person, mine, name));
    row.querySelector('.more').setAttribute('aria-label', SAY.more(name));
    row.querySelector('.options').setAttribute('aria-label', SAY.more(name));
    row.querySelector('.volume').hidden = mine;
    row.querySelector('.silence').hidden = mine;
    row.querySelector('.more').hidden = mine;
    const mute = row.querySelector('.mute');
    mute.hidden = mine || !canModerate || person.role === 'listener';
    mute.dataset.muted = String(person.muted);
    setText(mute.querySelector('span'), person.muted ? BUTTONS.unmuteOther : BUTTONS.muteOther);
    row.querySelector('.kick').hidden = mine || !canModerate;
    row.dataset.talking = String(Boolean(person.talking) && !person.muted);
    this.#showVolume(row, person.id, person);
  }

  #showVolume(row, id, person = this.#persons.get(id)) {
    this.#persons.set(id, person);
    const slider = row.querySelector('input');
    const silence = row.querySelector('.silence');
    const percent = slider.valueAsNumber;
    setText(row.querySelector('output'), SAY.volume(percent));
    slider.setAttribute('aria-valuetext', SAY.volumeSpoken(percent));
    silence.setAttribute('aria-pressed', String(percent === 0));
    setText(silence.querySelector('span'), percent === 0 ? BUTTONS.hearAgain : BUTTONS.muteMe);
    showState(row.querySelector('.state'), person, percent === 0);
  }
}

function showState(icon, person, silenced) {
  const [of, says] = stateOf(person, silenced);
  if (icon.dataset.of === of && icon.getAttribute('aria-label') === says) return;
  icon.dataset.of = of;
  icon.setAttribute('aria-label', says);
  icon.querySelector('use').setAttribute('href', `#i-${of}`);
}

function stateOf(person, silenced) {
  if (silenced) return ['sound-off', SAY.silenced];
  if (person.role === 'listener') return ['listen', SAY.listensState];
  if (person.muted) return ['mic-off', SAY.mutedState];
  return ['mic', person.talking ? SAY.talkingState : SAY.micOn];
}

/** How a person wants to be called, else what the link says. */
export function nameOf(person) { return person.name || person.identity; }

/** Who chose a name is shown with what the link says as well: that one the room's owner vouches for. */
function aboutOf(person, mine, name) {
  const link = name !== person.identity && person.identity !== person.role ? person.identity : '';
  const words = [mine ? SAY.you : '', link, SAY.roles[person.role] ?? '', person.kind === 'rtp' ? SAY.phone : ''];
  return words.filter(Boolean).join(' · ');
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function toggle(more, options) {
  options.hidden = !options.hidden;
  more.setAttribute('aria-expanded', String(!options.hidden));
}

export function initialsOf(name) {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0]).join('').toLocaleUpperCase() || '?';
}

export function hueOf(identity) {
  let hash = 2166136261;
  for (const c of identity) hash = Math.imul(hash ^ c.codePointAt(0), 16777619);
  return (hash >>> 0) % 360;
}

/** Calls `act` at most every `ms`, always with the last state. */
function later(act, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };
}
