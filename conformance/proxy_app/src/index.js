export const main = () => "the same app, inside";
