import { allHandlersFinished, condition, defineUpdate, setHandler } from "@temporalio/workflow";

/** Takes one Update and does nothing else. */
export async function bare(): Promise<void> {
  let answered = false;
  setHandler(defineUpdate("answer"), () => {
    answered = true;
  });
  await condition(() => answered && allHandlersFinished());
}
