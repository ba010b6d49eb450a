import { z } from "zod";

type Issue = z.core.$ZodRawIssue;

const KINDS: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** What a text of each format is, with an example. */
const FORMATS: Record<string, string> = {
  url: "a URL, such as https://example.com",
  email: "an email address, such as alice@example.com",
  datetime: "a date and time with an offset, such as 2026-01-31T12:00:00Z",
  date: "a date, such as 2026-01-31",
  base64: "base64",
};

const isText = ({ origin }: { origin: string }) => origin === "string";

/** What is said of a member that was left out. */
export const MISSING = "This is missing.";

const NOT_VALID = "This is not valid here.";

/**
 * The message for an invalid field or setting, if its schema has none of its own. It replaces the
 * library's messages.
 */
export function wordsOfIssue(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return MISSING;
      return `This must be ${KINDS[issue.expected] ?? "of another kind"}.`;
    case "too_small":
      if (isText(issue) && issue.minimum === 1) return "This is empty.";
      if (isText(issue)) return `This must have at least ${issue.minimum} characters.`;
      return issue.origin === "array"
        ? `Give at least ${issue.minimum}.`
        : `This must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}.`;
    case "too_big":
      if (isText(issue)) return `This can have at most ${issue.maximum} characters.`;
      return issue.origin === "array"
        ? `Give at most ${issue.maximum}.`
        : `This can be at most ${issue.maximum}.`;
    case "invalid_format":
      return FORMATS[issue.format] ? `This must be ${FORMATS[issue.format]}.` : NOT_VALID;
    case "invalid_value":
      return `This must be one of: ${issue.values.join(", ")}.`;
    case "unrecognized_keys":
      return "This has an unknown field.";
    default:
      return NOT_VALID;
  }
}

// Applies to every schema in the process, including those of the libraries that we call.
z.config({ customError: wordsOfIssue });
