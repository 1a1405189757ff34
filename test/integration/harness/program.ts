import type { ChildProcess } from 'node:child_process';
import { launcher, startProgram } from './server-node.ts';
import { deadlineMs, until } from './until.ts';

/** What a run of the program came to. */
export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface Running {
  readonly ended: Promise<Run>;
  /** Waits until it has said this. */
  says(where: 'stdout' | 'stderr', words: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

/** Starts the program. One that runs too long is killed. */
export function start(...args: readonly string[]): Running {
  return minded(startProgram(args), `rxraft ${args[0]}`);
}

/** Starts what `npm start` runs. */
export function launch(...args: readonly string[]): Running {
  return minded(startProgram(args, launcher), 'npm start');
}

function minded(child: ChildProcess, name: string): Running {
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const said = { stdout: '', stderr: '' };
  for (const where of ['stdout', 'stderr'] as const) {
    child[where]?.setEncoding('utf8').on('data', (text: string) => {
      said[where] += text;
    });
  }
  return {
    ended: new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal, ...said });
      });
    }),
    async says(where, words) {
      await until(`${name} says ${words}`, () => said[where].includes(words));
    },
    signal: (name) => void child.kill(name),
  };
}

/** Runs the program to its end. */
export function run(...args: readonly string[]): Promise<Run> {
  return start(...args).ended;
}
