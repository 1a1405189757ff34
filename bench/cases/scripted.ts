import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { atExit } from '../harness/at-exit.ts';
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
      const bars: Finding[] = [];
      child.on('message', (finding: Finding) => {
        bars.push(finding);
        if (finding.type === 'bar') findings.bar(finding.bar);
      });
      const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
      if (child.stdout !== null) {
        for await (const line of createInterface({ input: child.stdout })) {
          findings.progress(line);
          if (!/^(PASS|FAIL) /.test(line)) findings.note(line);
        }
      }
      const code = await ended;
      takeBack();
      const isMissed = code === 1 && bars.length > 0; // The bars say so themselves.
      if (code !== 0 && !isMissed) throw new Error(`${name} ended with ${code}`);
    },
  };
}
