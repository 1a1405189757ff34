import { readFileSync } from 'node:fs';
import type { MemoryFigures } from './orders.ts';

const lookMs = 50;

/** Watches this process's memory, from the first time it is asked. */
export class MemoryWatch {
  #most: MemoryFigures | null = null;

  /** The highest figures since the last time. */
  take(): MemoryFigures {
    if (this.#most === null) setInterval(() => this.#look(), lookMs).unref();
    const most = this.#most ?? memoryNow();
    this.#most = memoryNow();
    return most;
  }

  #look(): void {
    const { resident, own } = memoryNow();
    const most = this.#most;
    this.#most = {
      resident: Math.max(most?.resident ?? 0, resident),
      own: Math.max(most?.own ?? 0, own),
    };
  }
}

function memoryNow(): MemoryFigures {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024;
  return { resident: bytesOf('VmRSS'), own: bytesOf('RssAnon') };
}
