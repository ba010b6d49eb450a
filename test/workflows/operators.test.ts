import { expect, test } from "vitest";
import { eventually, ORIGIN } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("real");

/** What the Temporal UI shows of a workflow while it runs. */
async function metadataOf({ handle }: { handle: { query(name: string): Promise<unknown> } }) {
  return (await handle.query("__temporal_workflow_metadata")) as {
    currentDetails?: string;
    definition?: { updateDefinitions?: { name: string }[] };
  };
}

test("an illegal move is refused and leaves no event in the history", async () => {
  const flow = await world.loginChallenge({ method: "otp" });
  await flow.reaches("awaiting_passcode");
  const before = await flow.history();
  for (const [update, payload] of [
    ["resendPasscode", {}],
    ["chooseMethod", { method: "otp", maySend: true }],
    ["chooseMethod", { method: "carrier_pigeon", maySend: true }],
  ] as const)
    await expect(flow.update(update, payload)).rejects.toMatchObject({
      cause: { type: "IllegalTransition" },
    });
  expect(await flow.history()).toEqual(before);
  expect(await flow.update("rejectPasscode", { failures: 1 })).toMatchObject({ failures: 1 });
  expect((await flow.history()).length).toBeGreaterThan(before.length);
});

test("an undeclared Update reaches no machine", async () => {
  const flow = await world.loginChallenge({ method: "otp" });
  await flow.reaches("awaiting_passcode");
  const before = await flow.history();
  for (const update of ["xstate.after.challengeLifetime.loginChallenge.open", "PASSCODE_ACCEPTED"])
    await expect(flow.update(update)).rejects.toThrow();
  expect(await flow.history()).toEqual(before);
  expect((await flow.view()).state).toBe("awaiting_passcode");
});

test("the history says what each deadline and delivery is for", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  const summaries = (await flow.history()).flatMap(({ userMetadata }) => {
    const data = userMetadata?.summary?.data;
    return data ? [JSON.parse(Buffer.from(data).toString())] : [];
  });
  expect(summaries).toEqual(["enrollmentLifetime", "send a PIN by SMS", "pinLifetime"]);
});

test("a running flow can be found by its state and read as facts", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  await flow.update("rejectPasscode", { failures: 2 });
  const { currentDetails } = await metadataOf(flow);
  expect(currentDetails).toContain("- **state**: awaiting_passcode");
  expect(currentDetails).toContain("- **failures**: 2");
  expect(currentDetails).toContain("- **delivery**: sent");
  expect(currentDetails).toContain("- **next**: verify, resend, method");
  expect(currentDetails).toMatch(/- \*\*challengeLifetime\*\* until \d{4}-\d\d-\d\dT[\d:.]+Z/);
  const attributes = async () => (await flow.handle.describe()).searchAttributes;
  await eventually(attributes).toMatchObject({
    MfaState: ["awaiting_passcode"],
    MfaMethod: ["sms"],
  });
  await flow.update("chooseMethod", { method: "otp", maySend: false });
  await flow.update("acceptPasscode", { factor: "otp", origin: ORIGIN });
  await flow.handle.result();
  expect(await attributes()).toMatchObject({ MfaState: ["authenticated"], MfaMethod: ["otp"] });
});

test("search attributes are written when they change, not with every wrong passcode", async () => {
  const flow = await world.loginChallenge({ method: "otp" });
  await flow.reaches("awaiting_passcode");
  for (const failures of [1, 2, 3]) await flow.update("rejectPasscode", { failures });
  const upserts = (await flow.history()).filter(
    (event) => event.upsertWorkflowSearchAttributesEventAttributes,
  );
  expect(upserts).toHaveLength(1);
});

test("a history contains neither the code nor the number", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  const code = /^\d{7}/.exec(world.phone.messages.at(-1)?.body ?? "")?.[0] as string;
  await flow.update("acceptPasscode", { factor: "sms", origin: ORIGIN });
  await flow.handle.result();
  const text = await flow.historyText();
  expect(text).toContain("••• 0123");
  for (const secret of [code, "2025550123"]) expect(text).not.toContain(secret);
});
