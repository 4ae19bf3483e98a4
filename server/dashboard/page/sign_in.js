/** The form of who has not signed in. The answer's cookie is out of any script's reach. */
{
  const form = /** @type {HTMLFormElement} */ (document.getElementById("sign-in"));
  const input = /** @type {HTMLInputElement} */ (document.getElementById("token"));
  const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));

  /** @param {Response} response */
  const problemIn = (response) => {
    if (response.status !== 429) return "That is not the admin token of this relay.";
    return `Too many wrong tokens came from this address. Try again in ${response.headers.get("retry-after")} s.`;
  };

  /** @param {string} text */
  const complain = (text) => {
    problem.textContent = text;
    problem.hidden = text === "";
    if (text !== "") input.select();
  };

  const signIn = async () => {
    complain("");
    const body = JSON.stringify({ token: input.value.trim() });
    const response = await fetch("dashboard/sign-in", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    if (response.ok) location.reload();
    else complain(problemIn(response));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    signIn().catch(() => complain("The relay does not answer."));
  });
  input.focus();
}
