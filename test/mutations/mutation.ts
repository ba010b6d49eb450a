/**
 * A mistake that a person could make in a rule of the product, as one edit of one file, and the
 * tests that must notice it. `npm run test:mutations` applies each to a copy of the project.
 */
export type Mutation = {
  /** The mistake in words: which rule is gone, or what is wrong about it. */
  mistake: string;
  /** The file that it is made in, from the root of the project. */
  file: string;
  /** The text to replace, which must occur exactly once in the file. */
  find: string;
  /** What the mistake puts in its place. */
  replace: string;
  /** The test files of which at least one must fail, from the root of the project: quick ones first. */
  noticedBy: string[];
};
