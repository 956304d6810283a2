// Levels: the local one from the microphone's samples, the others' as the mixer tells them in dBov.

const FLOOR_DBOV = 60;
const CEILING_DBOV = 12;
const EVERY_MS = 80;

/** 0..1 for a level in dBov, whichever sign it is written with (RFC 6464 writes -dBov). */
export function barOf(levelDbov) {
  const below = Math.abs(levelDbov ?? 127);
  return Math.min(1, Math.max(0, (FLOOR_DBOV - below) / (FLOOR_DBOV - CEILING_DBOV)));
}

export function show(element, share) {
  element.style.setProperty('--level', share.toFixed(3));
}

/** Shows the level of an audio track on an element, for as long as it is attached. */
export class LocalMeter {
  #element;
  #context = null;
  #source = null;
  #timer = 0;

  constructor(element) { this.#element = element; }

  attach(track) {
    this.detach();
    this.#context ??= new AudioContext();
    void this.#context.resume();
    const analyser = new AnalyserNode(this.#context, { fftSize: 2048 });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      show(this.#element, barOf(dbovOf(samples)));
    }, EVERY_MS);
  }

  detach() {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#source = null;
    show(this.#element, 0);
  }
}

function dbovOf(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return -Math.min(127, -10 * Math.log10(sum / samples.length + 1e-13));
}
