// The microphone: which there are, opening one, and what went wrong in words.js's codes.

import { SAY } from './words.js';

export const NONE = 'none';

/** Thrown by `openMicrophone`; `code` is a key of NOTICES. */
export class MicrophoneError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.name = 'MicrophoneError';
    this.code = code;
  }
}

const CODES = {
  NotAllowedError: 'mic_denied', SecurityError: 'mic_denied',
  NotFoundError: 'mic_missing', OverconstrainedError: 'mic_missing',
  NotReadableError: 'mic_busy', AbortError: 'mic_busy',
};

/** A live audio track of device `id` ('' = the default one). */
export async function openMicrophone(id) {
  if (!navigator.mediaDevices) throw new MicrophoneError('mic_insecure');
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  if (id) audio.deviceId = { exact: id };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    return stream.getAudioTracks()[0];
  } catch (error) {
    throw new MicrophoneError(CODES[error.name] ?? 'mic_busy', error);
  }
}

/** [{id, label}], without the duplicates that Chromium lists as "default". */
export async function microphones() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all
    .filter((device) => device.kind === 'audioinput' && !['default', 'communications', ''].includes(device.deviceId))
    .map((device, index) => ({ id: device.deviceId, label: device.label || SAY.microphone(index + 1) }));
}

/** Fills `select`, keeping its choice where that still exists. */
export async function fillMicrophones(select, chosen = select.value) {
  const list = await microphones();
  const options = [['', SAY.defaultMicrophone], ...list.map(({ id, label }) => [id, label]), [NONE, SAY.noMicrophone]];
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  select.value = options.some(([value]) => value === chosen) ? chosen : '';
}
