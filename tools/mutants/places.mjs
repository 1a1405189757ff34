// Where mutants are planted, and where the tests are that notice them.
export const core = (name) => `src/core/${name}.ts`;
export const streams = (name) => `src/streams/${name}.ts`;
export const rules = (name) => `test/unit/core/rules/${name}.test.ts`;
export const paper = (name) => `test/paper/${name}.test.ts`;

/** The mutants of one rule, whose tests are all in one file. */
export const ofRule = (rule, test, list) => list.map((mutant) => ({ rule, test, ...mutant }));
