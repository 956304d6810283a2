// Puts the parts together: form, call, roster, events, controls.

import { Call } from './call.js';
import { RoomEvents } from './events.js';
import { JoinForm } from './joinform.js';
import { MicrophoneError, NONE, fillMicrophones } from './microphone.js';
import { OwnMicrophone } from './own.js';
import { Panel } from './panel.js';
import { PeopleView, nameOf } from './people.js';
import { Roster } from './roster.js';
import { Refusal, Signalling } from './signalling.js';
import { claimsOf, dropToken, forgetCall, keepToken, recallCall, rememberCall, takeToken } from './token.js';
import { $, Countdown, News, hideNotice, showNotice, showRoom, showState } from './view.js';
import { Volumes } from './volumes.js';
import { BUTTONS, SAY } from './words.js';

const room = decodeURIComponent(location.pathname.split('/').filter(Boolean).pop() ?? '');
let token = takeToken(room);
let movedTo = 0; // the epoch of the newest move that was followed
let myName = recallCall(room)?.name ?? '';

const signalling = new Signalling(room, token);
const call = new Call(signalling);
const roster = new Roster();
const own = new OwnMicrophone();
const form = new JoinForm();
const news = new News();
const countdown = new Countdown();
const audio = $('audio');

const volumes = new Volumes(recallCall(room)?.volumes, (all) => rememberCall(room, { volumes: all }));
const people = new PeopleView($('people'), $('person'), volumes, {
  hears: (id, gain) => attempt(() => signalling.patchLeg(call.leg, { hears: { [id]: gain } })),
  mute: (id, muted) => attempt(() => signalling.patchLeg(id, { muted })),
  kick: (id) => attempt(() => signalling.kick(id)),
});
const panel = new Panel($('panel'), $('figures'), $('panel-short'), { statsOf: () => call.stats(), refresh });
const events = new RoomEvents(() => signalling.eventsUrl, onEvent, () => void refresh());

const claims = () => claimsOf(token);
const canModerate = () => ['moderator', 'admin'].includes(claims().role);
const render = () => {
  people.render(roster, { canModerate: canModerate(), myName });
  showRoom(roster);
};

/** Does something that the server may refuse; says so when it does. */
async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    showNotice(error.code === 'forbidden' ? 'forbidden' : 'not_done', [[BUTTONS.close]], error.message);
    return null;
  }
}

/** Fetches the room as it is now; a failure is for the event stream and the call to notice. */
async function refresh() {
  try {
    roster.snapshot(await signalling.room());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.warn('the room could not be fetched', error.code);
  }
}

/** A leg of mine that could not inherit: let it hear the others as I had set them. */
async function tellVolumes() {
  await refresh();
  const gains = volumes.gains(roster.people.keys());
  if (Object.keys(gains).length === 0) return;
  try {
    await signalling.patchLeg(call.leg, { hears: gains });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.warn('the volumes could not be told', error.code); // somebody has just left
  }
}

function onEvent(type, data) {
  if (type === 'joined' && data.replaces) volumes.replaced(data.replaces, data.id);
  if (type === 'kicked' && data.id === call.leg) void call.end('kicked');
  else if (type === 'closed') void call.end('closed');
  else if (type === 'move') onMove(data);
  else if (type === 'reset') void refresh();
  else roster.apply(type, data);
}

/** The room has moved, or its second pod is another: ask where to send to; once for each move. */
function onMove({ id, epoch = 0 }) {
  if (id ? id !== call.leg : epoch && epoch <= movedTo) return;
  if (!id) movedTo = epoch;
  call.restart('move');
}

async function join({ name, pin, device, muted, listen }, replaces = '') {
  hideNotice();
  const listener = listen || claims().role === 'listener';
  try {
    if (!token) await enterByPin(pin, name);
    own.mute(muted, false);
    await own.choose(listener ? NONE : device);
  } catch (error) {
    refusedBeforeCall(error, { name, pin, device, muted });
    return;
  }
  myName = name;
  rememberCall(room, { name, device, muted, listen });
  call.join({ track: own.track, listen: claims().role === 'listener', name, replaces });
}

async function enterByPin(pin, name) {
  token = await signalling.tokenByPin(pin, name);
  signalling.token = token;
  keepToken(room, token);
}

function refusedBeforeCall(error, wish) {
  if (error instanceof Refusal) {
    showNotice(error.code, [], error.code === 'invalid_field' ? error.message : '');
    return;
  }
  if (!(error instanceof MicrophoneError)) throw error;
  showNotice(error.code, [
    [BUTTONS.retry, () => join({ ...wish, listen: false })],
    [BUTTONS.onlyListen, () => join({ ...wish, listen: true })],
  ]);
}

/** After a reload in the middle of a call: back in as the same person. */
async function resume() {
  const past = recallCall(room);
  if (past?.leg && token) await join({ pin: '', ...past }, past.leg);
}

const ON_STATE = {
  live: ({ was }) => {
    countdown.stop();
    hideNotice();
    rememberCall(room, { leg: call.leg });
    roster.me = call.leg;
    if (was === 'restarting') return;
    news.say(was === 'joining' ? SAY.inCall : SAY.back);
    void fillMicrophones($('call-mic'), own.track ? own.track.getSettings().deviceId : NONE);
    $('call-mic-box').hidden = claims().role === 'listener';
    $('mute').hidden = claims().role === 'listener';
    $('moderation').hidden = !canModerate();
    if (own.silent) void reportMute();
    void tellVolumes();
    events.open();
    panel.start(roster);
    if (was === 'joining') $('main').focus({ preventScroll: true });
  },
  restarting: ({ reason }) => {
    if (reason === 'taken') events.open(); // the stream may hang on a pod that is gone
  },
  reconnecting: ({ waitMs, reason }) => {
    const code = call.everLive ? 'lost' : reason;
    const actions = [[BUTTONS.cancel, () => call.end('left')]];
    countdown.start(code, waitMs, call.everLive ? [] : actions);
  },
  idle: ({ reason, status }) => stopped(reason, status),
  ended: ({ reason, status }) => stopped(reason, status),
};

function stopped(reason, status) {
  countdown.stop();
  events.close();
  panel.stop();
  own.close();
  forgetCall(room);
  volumes.clear();
  roster.clear();
  audio.srcObject = null;
  if (status === 401) forgetToken();
  showNotice(reason, reason === 'left' ? [[BUTTONS.close]] : []);
  $('join').hidden = ['kicked', 'closed', 'no_room'].includes(reason);
  if (reason === 'kicked') forgetToken();
}

function forgetToken() {
  dropToken(room);
  token = '';
  signalling.token = '';
  void form.show({});
}

async function toggleMute() {
  own.mute(!own.muted);
  rememberCall(room, { muted: own.muted });
  news.say(own.muted ? SAY.nowMuted : SAY.nowOpen);
  await reportMute();
}

/** Lets the others see whether I can be heard: who has no microphone shows as muted. */
async function reportMute() {
  await attempt(() => signalling.patchLeg(call.leg, { muted: own.silent }));
}

/** The room says whether I am heard. A mute holds; an unmute opens no microphone by itself. */
function onMine({ muted }) {
  const byRoom = roster.muteAll && claims().role === 'speaker';
  if (muted && !own.silent && !byRoom) {
    own.mute(true);
    rememberCall(room, { muted: true });
    news.say(SAY.mutedByOther);
  } else if (!muted && own.silent) {
    if (own.muted && roster.mine?.muted === false) news.say(SAY.unmutedByOther);
    void reportMute();
  }
}

function onRoom() {
  const forced = roster.muteAll && claims().role === 'speaker';
  own.mute(own.muted, forced);
  render();
}

async function changeMicrophone() {
  const device = $('call-mic').value;
  try {
    await call.useTrack(await own.choose(device));
    rememberCall(room, { device, listen: device === NONE });
    await reportMute();
  } catch (error) {
    if (!(error instanceof MicrophoneError)) throw error;
    showNotice(error.code, [[BUTTONS.close]]);
  }
  await fillMicrophones($('call-mic'));
}

async function hear(stream) {
  audio.srcObject = stream;
  try {
    await audio.play();
  } catch (error) {
    if (error.name !== 'NotAllowedError') return; // replaced by a newer stream
    showNotice('blocked_sound', [[BUTTONS.hear, () => audio.play()]]);
  }
}

function listenToParts() {
  form.addEventListener('wish', ({ detail }) => void join(detail));
  call.addEventListener('state', ({ detail }) => {
    showState(detail.state, call.everLive);
    ON_STATE[detail.state]?.(detail);
  });
  call.addEventListener('stream', ({ detail }) => void hear(detail));
  own.addEventListener('gone', () => {
    showNotice('mic_gone', [[BUTTONS.close]]);
    void call.useTrack(null);
    void fillMicrophones($('call-mic'), NONE);
  });
  roster.addEventListener('change', render);
  roster.addEventListener('levels', () => people.levels(roster));
  roster.addEventListener('room', onRoom);
  roster.addEventListener('timing', () => panel.show(roster));
  roster.addEventListener('mine', ({ detail }) => onMine(detail));
  roster.addEventListener('came', ({ detail }) => news.came(nameOf(detail)));
  roster.addEventListener('went', ({ detail }) => news.went(nameOf(detail)));
}

function listenToPage() {
  $('mute').addEventListener('click', () => void toggleMute());
  $('leave').addEventListener('click', () => void call.end('left'));
  $('call-mic').addEventListener('change', () => void changeMicrophone());
  $('mute-all').addEventListener('click', () => void attempt(() => signalling.patchRoom({ muteAll: !roster.muteAll })));
  $('lock').addEventListener('click', () => void attempt(() => signalling.patchRoom({ locked: !roster.locked })));
  addEventListener('pagehide', () => call.farewell());
  addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
  navigator.mediaDevices?.addEventListener('devicechange', () => void fillMicrophones($('call-mic')));
}

/** Asks for new ICE credentials and candidates, as the event `move` does. */
export const restartIce = () => call.restart('asked');

/** Read-only, for tests and for people who look into the console. */
Object.defineProperty(window, 'voiceroom', {
  value: Object.freeze({
    get state() { return call.state; },
    get leg() { return call.leg; },
    get people() { return structuredClone([...roster.people.values()]); },
    get stream() { return audio.srcObject; },
    stats: () => call.stats(),
  }),
});

$('room-name').textContent = room;
document.title = `${room} · voiceroom`;
listenToParts();
listenToPage();
await form.show(claims());
if (!token) showNotice('no_token');
await resume();
