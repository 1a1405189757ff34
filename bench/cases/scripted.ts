import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { atExit } from '../harness/at-exit.ts';
import { type Bar, isMet } from '../harness/report.ts';
import type { BenchCase, Finding } from '../suite/bench-case.ts';

/** A measurement that is a program of its own too, such as `npm run bench:catch-up`: what it prints becomes notes. */
export function scripted(name: string, title: string, quickArgs: readonly string[]): BenchCase {
  return {
    title,
    isDefault: true,
    async run({ isQuick }, findings) {
      const script = new URL(`../${name}.js`, import.meta.url);
      const child = fork(script, isQuick ? quickArgs : [], { stdio: ['ignore', 'pipe', 2, 'ipc'] });
      const takeBack = atExit(() => void child.kill());
      const bars: Bar[] = [];
      child.on('message', (finding: Finding) => {
        if (finding.type !== 'bar') return;
        bars.push(finding.bar);
        findings.bar(finding.bar);
      });
      const ended = new Promise<Ending>((resolve) =>
        child.once('close', (code, signal) => resolve(code ?? signal)),
      );
      if (child.stdout !== null) {
        for await (const line of createInterface({ input: child.stdout })) {
          findings.progress(line);
          if (!/^(PASS|FAIL) /.test(line)) findings.note(line);
        }
      }
      const code = await ended;
      takeBack();
      if (!isExplained(code, bars)) throw new Error(`${name} ended with ${code}`);
    },
  };
}

/** How a process ended: its code, or the signal that ended it. */
type Ending = number | NodeJS.Signals | null;

/**
 * Whether a script did what it is there for: it ended well, or with 1 for a bar that the report shows as missed.
 *
 * Node.js ends with 1 after an error too, so bars that were met explain nothing.
 */
export function isExplained(ending: Ending, bars: readonly Bar[]): boolean {
  return ending === 0 || (ending === 1 && !bars.every(isMet));
}
