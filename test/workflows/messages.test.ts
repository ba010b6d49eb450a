// These tests are only types: `npm run check` fails if something compiles that should not.
import { expectTypeOf, test } from "vitest";
import type { Calls } from "../../temporal/calls.ts";
import type { Flows } from "../../temporal/flows.ts";
import { type WorkflowId, workflowIds } from "../../workflows/ids.ts";
import type * as workflows from "../../workflows/index.ts";
import type { UpdatePayload, WorkflowName, Workflows } from "../../workflows/messages.ts";

declare const flows: Flows;
declare const calls: Calls;
const challenge = "id";
const phone = { id: "id", type: "sms" } as const;

test("the table names every workflow of the worker, with its own input and answer", () => {
  type Exported = typeof workflows;
  expectTypeOf<keyof Exported>().toEqualTypeOf<WorkflowName>();
  expectTypeOf<{ [W in WorkflowName]: Parameters<Exported[W]>[0] }>().toEqualTypeOf<{
    [W in WorkflowName]: Workflows[W]["input"];
  }>();
  expectTypeOf<{ [W in WorkflowName]: Awaited<ReturnType<Exported[W]>> }>().toEqualTypeOf<{
    [W in WorkflowName]: Workflows[W]["answer"];
  }>();
});

test("an Update carries the same fields as its machine's event", () => {
  expectTypeOf<UpdatePayload<"loginChallenge", "rejectPasscode">>().toEqualTypeOf<{
    failures: number;
  }>();
  expectTypeOf<UpdatePayload<"loginChallenge", "resendPasscode">>().toEqualTypeOf<
    Record<string, never>
  >();
});

test("a wrong payload, name or id does not compile", () => {
  void (() => {
    flows.moveChallenge(challenge, "rejectPasscode", { failures: 1 });
    // @ts-expect-error: the wrong type
    flows.moveChallenge(challenge, "rejectPasscode", { failures: "1" });
    // @ts-expect-error: a field is missing
    flows.moveChallenge(challenge, "rejectPasscode", {});
    // @ts-expect-error: a field that the event does not have
    flows.moveChallenge(challenge, "resendPasscode", { failures: 1 });
    // @ts-expect-error: no such Update
    flows.moveChallenge(challenge, "rejectPin", { failures: 1 });

    flows.moveEnrollment(phone, "voidPin", {});
    // @ts-expect-error: an app's Update sent to a phone
    flows.moveEnrollment(phone, "restart", {});

    const id = workflowIds.loginChallenge(challenge);
    calls.signal(id, "withdraw", { reason: "gone" });
    // @ts-expect-error: a Signal of another workflow
    calls.signal(id, "supersede", { requirement: "optional" });
    // @ts-expect-error: a plain string is not a workflow id
    calls.signal("login-challenge/id", "withdraw", { reason: "gone" });
    expectTypeOf(id).toEqualTypeOf<WorkflowId<"loginChallenge">>();

    // @ts-expect-error: another workflow's arguments
    calls.start("deviceRemoval", workflowIds.deviceRemoval("id"), { eventId: 1 }, { summary: "" });
  });
});
