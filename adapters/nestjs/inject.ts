import { Inject } from '@nestjs/common';
import { cacheToken } from './names.js';

/**
 * Injects a cache into a parameter of a constructor, or a property.
 *
 * @param as - the name that its module gave it
 * @throws TypeError for what is no name
 */
export const InjectCache = (as?: string): PropertyDecorator & ParameterDecorator => Inject(cacheToken(as));
