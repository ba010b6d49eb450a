/**
 * A mistake that a person could make in a rule of the product: one edit of one file, and the tests
 * that must notice it. `npm run test:mutations` applies each to a copy of the project.
 */
export type Mutation = {
  /** The mistake in words: the rule that is missing, or what is wrong with it. */
  mistake: string;
  /** The file with the mistake, from the root of the project. */
  file: string;
  /** The text to replace, which must occur exactly once in the file. */
  find: string;
  /** The text that replaces it. */
  replace: string;
  /** The test files, from the project's root, of which at least one must fail; quick ones first. */
  noticedBy: string[];
};
