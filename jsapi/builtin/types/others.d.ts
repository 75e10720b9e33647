// Packages of npm that examples use, as far as types go.
declare module 'express' {
  const express: any;
  export default express;
}
