import { duration } from "../../core/duration.ts";

type Words = {
  why: string;
  help?: string;
  /** Another message would not arrive either. */
  final?: true;
};

/** Why a message did not arrive, and what its reader can do about it. */
const PROBLEMS: Record<string, Words> = {
  unreachable_number: {
    why: "the phone cannot be reached",
    help: "Check that it is on and has signal.",
  },
  blocked_number: {
    why: "the phone blocks our messages",
    help: "If you ever answered STOP to one of them, send START to the same number.",
  },
  not_a_mobile: { why: "the number cannot receive text messages", final: true },
  rejected_by_carrier: { why: "the phone's network refused it" },
  expired: {
    why: "it did not arrive in time",
    help: "Check that the phone is on and has signal.",
  },
  dependency_unavailable: { why: "we cannot send messages right now" },
  provider_unavailable: { why: "we cannot send messages right now" },
};

/**
 * Says why a message was not delivered and what to do: `again` if another message may arrive, else
 * `instead`. `waitMs` is the time until the user may request another message.
 */
export function undelivered(
  { problem, to, waitMs }: { problem: string | null; to: string | null; waitMs: number },
  { again, instead }: { again: string; instead: string },
): string {
  if (problem === "send_limit")
    return waitMs > 0
      ? `We could not send a message to ${to}, because too many were sent lately. You can request another in ${duration(waitMs)}. ${instead}`
      : `We could not send a message to ${to}, because the limit for text messages is reached. ${instead} Or try again later.`;
  const { why, help, final } = PROBLEMS[problem ?? ""] ?? {};
  const fault = `The message to ${to} could not be delivered${why ? `: ${why}` : ""}.`;
  return [fault, help, final ? instead : again].filter(Boolean).join(" ");
}
