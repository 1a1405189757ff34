import { describe, expect, it } from 'vitest';
import { noteMembership } from '../../../examples/kv/cli/membership-note.ts';
import { type ServeConfig, serveConfig } from '../../../examples/kv/config/serve-config.ts';
import { flagSource } from '../../../examples/kv/config/sources.ts';
import { nodeStatus } from './builders.ts';

/** What a node of three, whose store has them, logs at its start when it is given these flags. */
function notes(flags: Readonly<Record<string, string>>): readonly string[] {
  const lines: string[] = [];
  const keep = (level: string) => (_facts: object, text: string) => void lines.push(`${level} ${text}`);
  const logger = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
  const read = serveConfig([flagSource({ id: 'n1', data: 'd', ...flags })]) as { config: ServeConfig };
  noteMembership({ status: () => nodeStatus() }, read.config, logger);
  return lines;
}

describe('a node that is started again', () => {
  const three = [1, 2, 3].map((n) => `n${n}=ws://127.0.0.1:710${n}`);

  it('does not speak of a list of members that nobody gave', () => {
    expect(notes({})).toEqual(['info the members are those in the store']);
  });

  it('warns of one that differs from its store, and of no other', () => {
    expect(notes({ members: three.toReversed().join() })).toEqual([
      'info the members are those in the store',
    ]);
    expect(notes({ members: three.slice(0, 2).join() })).toEqual([
      'warn the members in the store win; --members differs from them and has no effect',
    ]);
  });
});
