export const ROUTES_KEY = 'ROUTES';

/** Begins the names of the attributes that fence models off. A write of the routes takes them away; who still crashes is fenced again. */
export const FENCE = 'fence#';
