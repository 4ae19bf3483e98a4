import { busy, cloud, home, lab, loaded, of, price, testOrders } from "./order_cases.ts";

testOrders("no fallbacks", [
  {
    name: "only the provider of the best",
    fleet: [home, lab, home],
    preferences: { allowFallbacks: false },
    expect: "d 1 3",
  },
  {
    name: "the best by load",
    fleet: [of("home", loaded), lab],
    preferences: { allowFallbacks: false },
    expect: "d 2",
  },
  {
    name: "the best by sort, though it is busy",
    fleet: [of("home", price(2)), of("lab", { ...price(1), ...busy })],
    preferences: { allowFallbacks: false, sort: "price" },
    expect: "w 2",
  },
  {
    name: "the best by suffix",
    fleet: [of("home", price(2)), of("lab", { ...price(1), ...busy })],
    request: { model: "m:floor" },
    preferences: { allowFallbacks: false },
    expect: "w 2",
  },
  {
    name: "the best that is eligible",
    fleet: [of("home", price(2)), of("lab", price(1))],
    preferences: { allowFallbacks: false, sort: "price", ignore: ["lab"] },
    expect: "d 1",
  },
  {
    name: "a variant is a provider of its own",
    fleet: [of("home/a"), of("home/b")],
    preferences: { allowFallbacks: false },
    expect: "d 1",
  },
  {
    name: "who failed was the best: nobody is left",
    fleet: [of("home", price(1)), of("lab", price(2))],
    request: { excluded: ["worker-1"] },
    preferences: { allowFallbacks: false, sort: "price" },
    expect: "r",
  },
  {
    name: "its sibling is left",
    fleet: [of("home", price(1)), of("lab", price(2)), of("home", price(1))],
    request: { excluded: ["worker-1"] },
    preferences: { allowFallbacks: false, sort: "price" },
    expect: "d 3",
  },
  {
    name: "held to the provider of the first try, whoever is the best by now",
    fleet: [home, of("lab", loaded)],
    request: { heldTo: "lab" },
    preferences: { allowFallbacks: false },
    expect: "d 2",
  },
  {
    name: "held to one that is busy",
    fleet: [home, of("lab", busy)],
    request: { heldTo: "lab" },
    preferences: { allowFallbacks: false },
    expect: "w 2",
  },
  {
    name: "held to one that left",
    fleet: [home],
    request: { heldTo: "lab" },
    preferences: { allowFallbacks: false },
    expect: "r",
  },
  {
    name: "a hold means nothing where fallbacks are allowed",
    fleet: [home, lab],
    request: { heldTo: "lab" },
    expect: "d 1 2",
  },
  {
    name: "a hold means nothing beside order",
    fleet: [home, lab],
    request: { heldTo: "lab" },
    preferences: { allowFallbacks: false, order: ["home"] },
    expect: "d 1",
  },
  {
    name: "with order each of its names is tried",
    fleet: [home, lab, cloud],
    preferences: { allowFallbacks: false, order: ["lab", "home"] },
    expect: "d 2 1",
  },
  {
    name: "with order that names nobody",
    fleet: [home],
    preferences: { allowFallbacks: false, order: ["lab"] },
    expect: "r",
  },
  {
    name: "allowed is as if nothing were said",
    fleet: [of("home", loaded), lab],
    preferences: { allowFallbacks: true },
    expect: "d 2 1",
  },
]);

testOrders("tried", [
  {
    name: "a worker is out with every model",
    fleet: [of("home", { models: ["m", "n"] }), lab],
    request: { models: ["n"], excluded: ["worker-1"] },
    expect: "d 2",
  },
  {
    name: "a worker with one model may serve another",
    fleet: [of("home", { models: ["m", "n"] })],
    request: { models: ["n"], excluded: ["worker-1 m"] },
    expect: "d 1:n",
  },
  {
    name: "a worker with all of the models",
    fleet: [of("home", { models: ["m", "n"] })],
    request: { models: ["n"], excluded: ["worker-1 m", "worker-1 n"] },
    expect: "r",
  },
  {
    name: "a model of the same name at another worker",
    fleet: [home, lab],
    request: { excluded: ["worker-1 m"] },
    expect: "d 2",
  },
  {
    name: "a model is known without its suffix",
    fleet: [home, lab],
    request: { model: "m:floor", excluded: ["worker-1 m"] },
    expect: "d 2",
  },
  {
    name: "a model does not count without one",
    fleet: [home],
    request: { model: undefined, excluded: ["worker-1 m"] },
    expect: "d 1:undefined",
  },
  {
    name: "ids that begin alike are others",
    fleet: [home, lab],
    request: { excluded: ["worker-11", "worker-"] },
    expect: "d 1 2",
  },
  {
    name: "who is draining and failed it is not waited for",
    fleet: [of("home", { draining: true })],
    request: { excluded: ["worker-1"] },
    expect: "r",
  },
]);
