import { expect, test } from "vitest";
import { scripts } from "../../store/redis/scripts/scripts.ts";

// The names are values of the label `command` of the metric `redis_command_duration_seconds`, so
// dashboards and alerts of operators may use them. If you change one, say so in CHANGELOG.md.
test("the names of the Redis scripts stay as they are, because a metric's label shows them", () => {
  expect(Object.keys(scripts).sort()).toEqual([
    "claimRequest",
    "completeRequest",
    "confirmFailure",
    "confirmSpending",
    "confirmedFailures",
    "countBudgets",
    "countEnrollmentRequest",
    "endSession",
    "exhaustAttempts",
    "forgetAddresses",
    "giveBackAttempt",
    "giveBackPinTry",
    "indexAnswer",
    "judgePasscode",
    "keepOneSession",
    "noteFailedLogin",
    "noteWithdrawal",
    "offerNonce",
    "openChallenge",
    "openSession",
    "releaseRequest",
    "rememberAddress",
    "replacePasscode",
    "replacePin",
    "returnNonce",
    "revoke",
    "scheduleEnforcement",
    "spendBudget",
    "spendChallenge",
    "strengthenSession",
    "takeNonce",
    "takeOtpStep",
    "takeRequest",
    "touchSession",
    "tryPin",
    "withdrawChallenge",
  ]);
});
