import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ChaosNode } from '../../chaos/chaos-node.ts';

class TalkingNode extends ChaosNode {
  say(text: string): void {
    this.hear(text);
  }
}

it('a node that says what no fault brings about is a problem once, even if it says it in two pieces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-chaos-node-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const problems: string[] = [];
  const place = { id: 'n1', data: folder, raftPort: 1, httpPort: 2 };
  const watch = { logFile: join(folder, 'log'), onProblem: (problem: string) => void problems.push(problem) };
  const node = new TalkingNode(place, watch);

  node.say('all is well\nn1 refused wh');
  node.say("at can't be\n");
  node.say('all is well again\n');

  expect(problems).toEqual([expect.stringContaining("n1 refused what can't be")]);
});
