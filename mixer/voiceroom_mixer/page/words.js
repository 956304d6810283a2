// Every sentence that a person reads, in one table. A sentence says what happened and what to do.

export const PILLS = {
  idle: ['quiet', 'Not joined'],
  joining: ['warn', 'Joining…'],
  live: ['good', 'Connected'],
  restarting: ['warn', 'Finding a better way…'],
  reconnecting: ['warn', 'Reconnecting…'],
  ended: ['quiet', 'Not in the call'],
};

/** By the code of a refusal, of the microphone, or of an end: [tone, title, text]. */
export const NOTICES = {
  no_token: ['quiet', 'This page needs a join link.', 'Open the link that you were given, or give the room’s PIN below.'],
  no_pin: ['bad', 'This room has no PIN.', 'Ask somebody in the room for a join link.'],
  wrong_pin: ['bad', 'The PIN is wrong.', 'Check it and try again; after five tries there is a pause of a minute.'],
  invalid_field: ['bad', 'The server did not accept that.', ''],
  invalid_token: ['bad', 'This join link is not valid.', 'It may be cut short or for another server. Ask for a new link.'],
  expired_token: ['bad', 'This join link has expired.', 'Ask for a new link.'],
  forbidden: ['bad', 'This link does not let you do that.', 'It may be for another room. Ask a moderator for a link to this one.'],
  not_yours: ['bad', 'Somebody else holds that place.', 'Join again with your own link.'],
  room_full: ['warn', 'The room is full.', 'Try again when somebody has left.'],
  pod_full: ['warn', 'The server is full just now.', 'You will be let in as soon as there is room.'],
  draining: ['warn', 'The server is about to shut down.', 'You will be let in as soon as another one is ready.'],
  locked: ['warn', 'The room is locked.', 'Ask a moderator to unlock it, then try again.'],
  too_many_requests: ['warn', 'Too many tries.', 'Trying again after a short pause.'],
  no_room: ['bad', 'There is no such room here.', 'Check the link: the room may have been closed.'],
  network: ['warn', 'The server cannot be reached.', 'Check your network. Trying again.'],
  server: ['warn', 'The server had a problem.', 'Trying again.'],
  no_media: ['bad', 'No sound can get through.', 'Your network seems to block it (UDP). Try another network, or ask your administrator.'],
  refused: ['bad', 'The server refused to let you in.', 'Ask whoever runs it; the reason is in its log.'],
  kicked: ['bad', 'You were removed from the room.', 'A moderator has taken you out; this link no longer works.'],
  closed: ['quiet', 'The room has been closed.', 'Thank you for being here.'],
  left: ['quiet', 'You have left the room.', 'You may join again whenever you like.'],
  lost: ['warn', 'The connection was lost.', 'Getting you back in; you need not do anything.'],
  mic_denied: ['warn', 'The microphone was refused.', 'Allow it in the browser’s address bar and try again, or only listen.'],
  mic_missing: ['warn', 'No microphone was found.', 'Plug one in and try again, or only listen.'],
  mic_busy: ['warn', 'The microphone cannot be opened.', 'Another program may be using it. Close that and try again, or only listen.'],
  mic_insecure: ['warn', 'The browser gives no microphone here.', 'The page has to be opened over https or on localhost. You can still listen.'],
  mic_gone: ['warn', 'Your microphone was unplugged.', 'Choose another one below; you can still hear the others.'],
  blocked_sound: ['warn', 'The browser holds back the sound.', 'It waits for a click from you.'],
  not_done: ['bad', 'That did not work.', 'The room is as it was; try once more.'],
};

export const BUTTONS = {
  join: 'Join', listen: 'Listen', rejoin: 'Join again', retry: 'Try again', cancel: 'Cancel',
  onlyListen: 'Only listen', hear: 'Let me hear', close: 'Close',
  mute: 'Mute', unmute: 'Unmute', muteMe: 'Mute for me', hearAgain: 'Hear again',
  muteAll: 'Mute all', unmuteAll: 'Unmute all', lock: 'Lock', unlock: 'Unlock',
  muteOther: 'Mute for all', unmuteOther: 'Unmute for all', kick: 'Remove', kickSure: 'Really remove?',
  test: 'Test', stopTest: 'Stop',
};

export const SAY = {
  joinAs: (who, role) => (role === 'listener'
    ? 'This link lets you listen.' : `This link lets you speak as “${who}”${role === 'speaker' ? '' : ` (${role})`}.`),
  nameBeside: (who) => `The others see this name. Without one they see “${who}”.`,
  nameShared: 'The others see this name.',
  noMicrophone: 'No microphone (listen)',
  defaultMicrophone: 'Default microphone',
  microphone: (n) => `Microphone ${n}`,
  people: (n) => (n === 1 ? '1 person' : `${n} people`),
  you: 'you',
  roles: { listener: 'listens', moderator: 'moderator', admin: 'admin', speaker: '' },
  phone: 'by gateway',
  mutedState: 'Microphone muted', silenced: 'You have muted this person for yourself',
  talkingState: 'Talking', micOn: 'Microphone on', listensState: 'Only listens',
  more: (who) => `Options for ${who}`,
  volume: (percent) => (percent === 0 ? 'muted' : `${percent} %`),
  volumeSpoken: (percent) => (percent === 0 ? 'muted for you' : `${percent} percent`),
  joined: (names) => (names.length > 3 ? `${names.length} people have joined.` : `${names.join(', ')} joined.`),
  left: (names) => (names.length > 3 ? `${names.length} people have left.` : `${names.join(', ')} left.`),
  mutedByOther: 'A moderator has muted you.',
  unmutedByOther: 'A moderator has let you speak: unmute yourself when you want to.',
  nowMuted: 'Your microphone is muted.', nowOpen: 'Your microphone is on.',
  nowLocked: 'The room is locked.', nowUnlocked: 'The room is open.',
  inCall: 'You are in the room.', back: 'You are connected again.',
  retryIn: (seconds) => `Next try in ${seconds} s.`,
  none: '–',
};

/** A refusal's code with the fall-back for codes this page does not know. */
export function noticeFor(code) {
  return NOTICES[code] ?? NOTICES.refused;
}
