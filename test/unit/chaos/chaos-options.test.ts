import { describe, expect, it } from 'vitest';
import { commandOf } from '../../chaos/chaos-options.ts';

describe('the command that repeats a run', () => {
  it('has the arguments as they were given, and the seed that was drawn', () => {
    const args = ['--faults', 'kill,cut', '--nodes', '3', '--evidence', "it's here"];

    expect(commandOf(args, 7)).toBe(
      String.raw`npm run chaos -- --faults kill,cut --nodes 3 --evidence 'it'\''s here' --seed 7`,
    );
  });

  it('names a seed once', () => {
    expect(commandOf(['--seed', '7'], 7)).toBe('npm run chaos -- --seed 7');
    expect(commandOf(['--seed=7'], 7)).toBe('npm run chaos -- --seed=7');
  });
});
