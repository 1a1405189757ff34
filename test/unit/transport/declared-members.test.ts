import { describe, expect, it } from 'vitest';
import { declaredProblem } from '../../../src/transport/declared-members.ts';

const members = ['n1', 'n2', 'n3'].map((id) => ({ id, url: `ws://${id}:7101` }));

describe('declared members', () => {
  it('name each node once, this one included', () => {
    expect(declaredProblem('n1', members)).toBeNull();
    expect(declaredProblem('n9', members)).toContain('n9');
    expect(declaredProblem('n1', [...members, ...members])).toContain('twice');
    expect(declaredProblem('n4', [])).toBeNull();
  });
});
